// Every parser of text or bytes from outside: the kept corpus, then new inputs made from it. By default each parser gets FUZZ_RUNS
// inputs (80); FUZZ_MINUTES sets a time instead. FUZZ_SEED determines them, and is printed. What finds a fault is kept in
// test/fixtures/corpus. One parser: -t 'name'.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt, corpusOf, fuzz, keep, type FuzzedParser } from './fuzzing';
import { messages } from './messages';
import { settings } from './settings';
import { storedFiles } from './stored-files';

const seed = Number(process.env['FUZZ_SEED'] ?? 20261128);
const minutes = Number(process.env['FUZZ_MINUTES'] ?? 0);
const runs = Number(process.env['FUZZ_RUNS'] ?? 80);
const home = mkdtempSync(join(tmpdir(), 'domino-vss-fuzz-'));
const parsers = [...storedFiles(home), ...settings(join(home, 'settings')), ...messages];

afterAll(() => {
  rmSync(home, { recursive: true });
});

function bound(): (inputs: number) => boolean {
  const endsAt = performance.now() + minutes * 60_000;
  return (inputs) => (minutes > 0 ? performance.now() >= endsAt : inputs >= runs);
}

test.each(parsers.map((parser) => [parser.name, parser] as const))(
  'parser of %s',
  async (_name, parser) => {
    const corpus = corpusOf(parser);
    const wrong: string[] = [];
    for (const { name, bytes } of corpus) {
      const found = await attempt(parser, bytes);
      if (found.wrong !== undefined) wrong.push(`${name}: ${found.wrong}`);
    }
    expect(wrong).toEqual([]);
    const seeds = corpus.map(({ bytes }) => bytes);
    const { inputs, outcomes, findings } = await fuzz(parser, seeds, { seed, isOver: bound() });
    if (minutes > 0 || findings.length > 0) {
      process.stdout.write(`${parser.name}: ${inputs} inputs, seed ${seed}, ${outcomes} outcomes\n`);
    }
    expect(findings.map((finding) => `${keep(parser, finding)}: ${finding.what}`)).toEqual([]);
  },
  minutes * 60_000 + 300_000,
);

test('a parser with a fault is found out, by a small input', async () => {
  const canary: FuzzedParser = {
    name: 'canary',
    read: (input) => {
      let value: unknown;
      try {
        value = JSON.parse(input.toString());
      } catch {
        return 'no JSON';
      }
      return (value as { readonly size: string }).size.trim();
    },
  };
  const isOver = (inputs: number): boolean => inputs >= 500;
  const { findings } = await fuzz(canary, [Buffer.from('{"name":"x","size":"12"}')], { seed, isOver });
  expect(findings.map(({ what }) => what)).toContainEqual(expect.stringContaining('TypeError'));
  expect(Math.min(...findings.map(({ input }) => input.length))).toBeLessThan(8);
  const polluting: FuzzedParser = {
    name: 'polluting',
    read: (input) => {
      Object.assign(Object.prototype, { [input.toString()]: 1 });
      return '';
    },
  };
  expect((await attempt(polluting, Buffer.from('x'))).wrong).toBe('has changed a prototype: x');
  expect('x' in {}).toBe(false);
});
