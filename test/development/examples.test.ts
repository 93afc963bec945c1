// Every example of the documentation is run, or has a reason why not; and each is checked without running it, as far as its
// language allows.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv';
import { CommanderError, type Command } from 'commander';
import { commandPages, wholeGrammar } from '#lib/cli/pages/pages';
import { errorCodes, noticeCodes, runScript, warningCodes } from '#lib/index';
import { type Example, compile, documentationPages, examples, makeProject, root, writePrograms } from './examples';
import { type NotRun, notRun } from './not-run';

const all = examples();
const pages = documentationPages();
const prose = (page: string): string => readFileSync(join(root, page), 'utf8').replace(/^ *```[^]*?^ *```/gm, '');
const inLanguage = (...languages: string[]): Example[] => all.filter(({ language }) => languages.includes(language));
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-examples-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

test('every example has a language', () => {
  expect(all.length).toBeGreaterThan(70);
  const known = ['bat', 'diskshadow', 'js', 'json', 'powershell', 'sh', 'text', 'ts', 'yaml'];
  expect(all.filter(({ language }) => !known.includes(language)).map(({ name }) => name)).toEqual([]);
});

test('every example is run, or is listed with the reason why not', () => {
  const names = all.map(({ name }) => name);
  expect(Object.keys(notRun).filter((name) => !names.includes(name))).toEqual([]);
  const runnable = ['js', 'json', 'sh', 'ts'];
  const lost = all.filter(({ name, language }) => !(name in notRun) && !runnable.includes(language));
  expect(lost.map(({ name }) => name)).toEqual([]);
  expect(
    Object.values(notRun).filter((entry) => entry.is === 'run elsewhere' && !existsSync(join(root, entry.by))),
  ).toEqual([]);
  process.stdout.write(countOfExamples());
});

test('no code is set off by its indentation alone, which nothing here would see', () => {
  expect(pages.filter((page) => /^\n {4}\S/m.test(prose(page)))).toEqual([]);
});

test('TypeScript and JavaScript compile against the types of the package', () => {
  makeProject(directory);
  const programs = inLanguage('ts', 'js');
  expect(programs.length).toBeGreaterThan(10);
  writePrograms(directory, programs);
  expect(compile(directory, join(directory, 'out'))).toBe('');
}, 60_000);

test.each(inLanguage('json').map(({ name, text }) => [name, text]))('%s is a configuration', (_name, text) => {
  const schema = JSON.parse(commandPages()['schema/config-1.json'] ?? '') as Record<string, unknown>;
  const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
  expect({ valid: validate(JSON.parse(text)), errors: validate.errors }).toEqual({ valid: true, errors: null });
});

test.each(inLanguage('diskshadow').map(({ name, text }) => [name, text]))('%s is a script', async (_name, text) => {
  const { outcome, problems } = await runScript({ script: { text }, check: true });
  expect([outcome, problems]).toEqual(['complete', []]);
});

const calls = [...inLanguage('sh').map(callsOfBash), ...inLanguage('bat', 'powershell').map(callsOfWindows)].flat();

test('every call of domino-vss is one that the command line takes', async () => {
  const ours = calls.filter(({ words: [program] }) => program === 'domino-vss');
  expect(ours.length).toBeGreaterThan(50);
  const wrong: string[] = [];
  for (const { name, words } of ours) {
    const error = await complaint(words.slice(1));
    if (error !== undefined) wrong.push(`${name}: ${words.join(' ')}: ${error}`);
  }
  expect(wrong).toEqual([]);
});

test('every script of npm and of Node.js that is called exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const wrong = calls.filter(({ words: [program, first = '', second = ''] }) => {
    if (program === 'npm') return !(first === 'run' ? second in scripts : ['install', 'test'].includes(first));
    if (program === 'node') return !first.startsWith('build/') && !existsSync(join(root, first));
    return false;
  });
  expect(wrong).toEqual([]);
});

test('every call in running text is one that the command line takes', async () => {
  const spans = pages.flatMap((page) =>
    [...prose(page).matchAll(/`(domino-vss [^`\n]+)`/g)].map(([, span = '']) => ({ page, span })),
  );
  expect(spans.length).toBeGreaterThan(50);
  const wrong: string[] = [];
  for (const { page, span } of spans) {
    // Placeholders, a whole group of commands, names that are not calls, and shell completions.
    if (/^domino-vss (window|start|b|backup run --pro)$/.test(span)) continue;
    if (/…|\||^domino-vss \/|^domino-vss (shadow|backup|writer|provider|databases)$/.test(span)) continue;
    const words = span.replace(/<[^>]+>/g, '7').match(/"[^"]*"|\S+/g) ?? [];
    const error = await complaint(words.slice(1).map((word) => word.replaceAll('"', '')));
    // In running text, examples may omit parts that a call needs.
    if (error?.includes('unknown')) wrong.push(`${page}: ${span}: ${error}`);
  }
  expect(wrong).toEqual([]);
});

test('every metric that a page names is one that a command writes', () => {
  const named = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\bdomino_vss_([a-z_]+)/g)].map(([, name = '']) => name),
  );
  expect(named.length).toBeGreaterThan(8);
  const directory = join(root, 'lib', 'cli');
  const sources = readdirSync(directory).filter((file) => file.endsWith('.ts'));
  const written = sources.map((file) => readFileSync(join(directory, file), 'utf8')).join('');
  expect(named.filter((name) => !written.includes(`'${name}'`))).toEqual([]);
});

test('every code that a page names is one', () => {
  const ofDomino = readFileSync(join(root, 'cpp/domino/status.cpp'), 'utf8').match(/\bERR_[A-Z_]+(?=")/g) ?? [];
  const known = new Set<string>([
    ...Object.keys(errorCodes),
    ...Object.keys(noticeCodes),
    ...Object.keys(warningCodes),
    ...ofDomino,
  ]);
  const named = pages.flatMap((page) =>
    [...prose(page).matchAll(/`((?:ERR|WARN|INFO)_[A-Z_]+)`/g)].map(([, code = '']) => code),
  );
  expect(named.length).toBeGreaterThan(150);
  expect([...new Set(named)].filter((code) => !known.has(code))).toEqual([]);
});

/** How many are run, and why the others are not: one line for each kind and reason. */
function countOfExamples(): string {
  const reason = (entry: NotRun): string => {
    switch (entry.is) {
      case 'run elsewhere':
        return `by ${entry.by}`;
      case 'syntax only':
        return `needs ${entry.needs}`;
      case 'no command':
        return `shows ${entry.shows}`;
    }
  };
  const counts = new Map<string, number>();
  for (const entry of Object.values(notRun)) {
    const line = `${entry.is}: ${reason(entry)}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  const kind = (is: NotRun['is']): string => `${Object.values(notRun).filter((entry) => entry.is === is).length} ${is}`;
  const kinds = [kind('run elsewhere'), kind('syntax only'), kind('no command')].join(', ');
  const lines = [...counts].sort().map(([line, count]) => `${String(count).padStart(5)} ${line}\n`);
  return `${all.length} examples: ${all.length - Object.keys(notRun).length} run, ${kinds}\n${lines.join('')}`;
}

interface Call {
  readonly name: string;
  readonly words: readonly string[];
}

/** What a shell makes of an example: all its programs are replaced by one that only records how it was called. */
function callsOfBash({ name, text }: Example): Call[] {
  const home = mkdtempSync(join(tmpdir(), 'domino-vss-home-'));
  try {
    for (const path of ['.zfunc', '.config/fish/completions']) mkdirSync(join(home, path), { recursive: true });
    const prelude = ['domino-vss', 'npm', 'node']
      .map((program) => `function ${program} () { printf '%s\\0' ${program} "$@" >&3; printf '\\n' >&3; }\n`)
      .join('');
    const { output, status } = spawnSync('bash', ['-c', `PATH=/nowhere\n${prelude}${text}`, 'bash', 'freeze'], {
      cwd: home,
      env: { HOME: home },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    // Other programs are not found; a syntax error ends the shell with 2.
    if (status === 2 || status === null) throw new Error(`${name}: ${output[2]}`);
    const lines = (output[3] ?? '').split('\n').filter(Boolean);
    return lines.map((line) => ({ name, words: line.split('\0').slice(0, -1) }));
  } finally {
    rmSync(home, { recursive: true });
  }
}

function callsOfWindows({ name, language, text }: Example): Call[] {
  return text
    .split('\n')
    .map((line) => (language === 'powershell' ? line.replace(/ +#.*$/, '') : line))
    .flatMap((line) => line.split('|'))
    .map((line) => ({ name, words: (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', '')) }));
}

/** What the command line rejects in a call before anything is done. */
async function complaint(words: readonly string[]): Promise<string | undefined> {
  const { program } = wholeGrammar();
  const disarm = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    if (command.commands.length === 0) command.action(() => undefined);
    command.commands.forEach(disarm);
  };
  disarm(program);
  try {
    await program.parseAsync(words, { from: 'user' });
    return undefined;
  } catch (error) {
    return error instanceof CommanderError && error.exitCode === 0 ? undefined : String(error);
  }
}
