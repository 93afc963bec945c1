import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const script = join(__dirname, '..', '..', '..', 'scripts', 'include-order.mjs');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-includes-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** What the check reports about sources that include these files, line by line. */
function check(sources: Readonly<Record<string, readonly string[]>>): string[] {
  for (const [file, includes] of Object.entries(sources)) {
    mkdirSync(join(directory, dirname(file)), { recursive: true });
    writeFileSync(join(directory, file), includes.map((included) => `#include "${included}"\n`).join(''));
  }
  const { status, stderr } = spawnSync(process.execPath, [script, directory], { encoding: 'utf8' });
  const lines = stderr.split('\n').filter(Boolean);
  expect(status).toBe(lines.length > 0 ? 1 : 0);
  return lines;
}

test('includes of the own folder and of floors below are in order', () => {
  expect(
    check({
      'addon/addon.cpp': ['domino/runtime.h', 'shadow/vss/requester.h', 'system/file.h'],
      'domino/runtime.h': ['engine/database.h'],
      'engine/database.h': ['engine/record.h', 'system/file.h'],
      'engine/record.h': [],
      'shadow/vss/requester.h': ['engine/record.h'],
      'system/file.h': [],
    }),
  ).toEqual([]);
});

test.each([
  ['system/file.h', 'engine/record.h', 'engine/ stands above system/'],
  ['engine/session.cpp', 'domino/runtime.h', 'domino/ stands above engine/'],
  ['domino/runtime.cpp', 'shadow/vss/requester.h', 'shadow/vss/ and domino/ stand side by side'],
  ['shadow/hook.cpp', 'shadow/vss/requester.h', 'shadow/vss/ and shadow/ stand side by side'],
  ['attic/hook.cpp', 'system/file.h', 'attic/ stands on no floor'],
])('%s must not include %s', (file, included, problem) => {
  expect(check({ [file]: [included], [included]: [] })).toEqual([`${file} includes ${included}: ${problem}`]);
});

test('a file that is not there is named', () => {
  expect(check({ 'engine/session.cpp': ['session.h'] })).toEqual([
    'engine/session.cpp includes session.h: there is no such file',
  ]);
});

test('a circle of headers is named once', () => {
  expect(
    check({
      'engine/a.cpp': ['engine/a.h'],
      'engine/a.h': ['engine/b.h'],
      'engine/b.h': ['engine/c.h'],
      'engine/c.h': ['engine/a.h'],
    }),
  ).toEqual(['headers include each other: engine/a.h → engine/b.h → engine/c.h → engine/a.h']);
});
