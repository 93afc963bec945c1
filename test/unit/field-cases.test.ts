import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../../..');

/** Rows of the tables of docs/field-cases.md, as cells. */
const rows = readFileSync(join(root, 'docs/field-cases.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| [VSDTE]-?\d+ /.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const tests = rows
  .filter((cells) => cells.length === 4)
  .flatMap(([id, , , held]) => held!.split('<br>').map((test) => [id!, test] as const));

test('docs/field-cases.md has every case once', () => {
  const ids = rows.map(([id]) => id!);
  const numbers = (letter: string, last: number, without: readonly number[] = []): string[] =>
    Array.from({ length: last }, (_value, index) => index + 1)
      .filter((number) => !without.includes(number))
      .map((number) => `${letter}${number}`);
  const expected = [
    ...numbers('V', 15, [12, 13]),
    ...numbers('S', 26, [21]),
    ...numbers('D', 13, [2, 12]),
    ...numbers('T', 13),
    ...numbers('E', 8),
    ...numbers('D-', 11),
  ];
  expect([...ids].sort()).toEqual(expected.sort());
});

test.each(tests)('%s is held by a test that exists: %s', (_id, held) => {
  const [, file, title] = /^`([^`]+)`(?:: (.+))?$/.exec(held) ?? [];
  expect(existsSync(join(root, file ?? 'named by nothing'))).toBe(true);
  if (title === undefined) {
    // test/unit/script/fixtures.test.ts runs each of these.
    expect(file).toMatch(/^test\/fixtures\/scripts\/(good|bad)\/[^/]+\.dsh$/);
    return;
  }
  const text = readFileSync(join(root, file!), 'utf8');
  // A title is the first argument of a call, on its own line or after the table of an `each`; the stand-ins' own tests are
  // methods of an object, or named in CMake.
  const calls = /(?:\btest|\w+Test|\bdescribe|\]\)|>\(|\))\s*\(\s*(['"`])(.+?)\1,/g;
  const methods = /^ {2}async (['"])(.+?)\1\(/gm;
  const named = /\badd_test\((NAME) (\S+)/g;
  const titles = [calls, methods, named].flatMap((form) => [...text.matchAll(form)].map(([, , name]) => name));
  expect(titles).toContain(title);
});
