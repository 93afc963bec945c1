import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '#lib/native/package-root';
import { readScriptFile } from '#lib/script/script-source';

/**
 * A script and its expected behaviour, which its own comments describe, one per line:
 *
 * - `#= exit N`: exit code; 0 if missing. `#= check N`: exit code of a check; same as `exit` if missing.
 * - `#= says TEXT`, `#= never TEXT`: what the output must contain, or must not contain.
 * - `#= problem LINE:COLUMN MESSAGE
 * REMEDY`: each problem in order; parts of the texts.
 * - `#= told TEXT`: what a writer or program was told, or told to do. `#= shadows N`: shadow copies that are left.
 * - `#= foreign VOLUME`: another program has made a shadow copy before. `#= keep-going`: runs with that option.
 */
export interface Fixture {
  readonly name: string;
  readonly text: string;
  readonly exit: number;
  readonly check: number;
  readonly says: readonly string[];
  readonly never: readonly string[];
  readonly problems: readonly { readonly place: string; readonly message: string; readonly remedy: string }[];
  readonly told: readonly string[];
  readonly shadows: number | undefined;
  readonly foreign: readonly string[];
  readonly keepGoing: boolean;
}

const keys = ['exit', 'check', 'says', 'never', 'problem', 'told', 'shadows', 'foreign', 'keep-going'];

export const fixtureDirectory = join(packageRoot, 'test', 'fixtures', 'scripts');

export function fixtureNames(): string[] {
  return ['good', 'bad'].flatMap((kind) => readdirSync(join(fixtureDirectory, kind)).map((name) => `${kind}/${name}`));
}

export async function readFixture(name: string): Promise<Fixture> {
  const { text } = await readScriptFile(join(fixtureDirectory, name));
  const expectations = [...text.matchAll(/^#= ([a-z-]+) ?(.*?)\r?$/gm)].map(([, key = '', value = '']) => [key, value]);
  const unknown = expectations.find(([key]) => !keys.includes(key!));
  if (unknown) throw new Error(`${name}: "#= ${unknown.join(' ')}" is no expectation`);
  const all = (key: string): string[] => expectations.filter(([name]) => name === key).map(([, value]) => value!);
  const exit = Number(all('exit')[0] ?? 0);
  return {
    name,
    text,
    exit,
    check: Number(all('check')[0] ?? exit),
    says: all('says'),
    never: all('never'),
    problems: all('problem').map((value) => {
      const [, place = '', message = '', remedy = ''] = /^(\S+) (.*?)(?: \| (.*))?$/.exec(value)!;
      return { place, message, remedy };
    }),
    told: all('told'),
    shadows: all('shadows')[0] === undefined ? undefined : Number(all('shadows')[0]),
    foreign: all('foreign'),
    keepGoing: expectations.some(([key]) => key === 'keep-going'),
  };
}
