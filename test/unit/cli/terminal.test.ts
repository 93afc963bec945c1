// File names may contain characters that control a terminal. None of them reaches one; JSON contains the names unchanged.

import { Writable } from 'node:stream';
import fc from 'fast-check';
import { Paint } from '#lib/cli/paint';
import type { CommandLineContext } from '#lib/cli/context';
import { runCommandLine } from '#lib/cli/program';
import { ProgressBar } from '#lib/cli/progress-bar';
import { toDatabaseFailure, toPublicError } from '#lib/errors/errors';
import { printable, printableJson, printableLines } from '#lib/errors/printable';
import { linuxTest } from '../../platform';
import { alreadyInProgress, FakeDomino } from '../fake-binding';

/** All control characters of a terminal, except the end of a line and what picocolors writes. */
// eslint-disable-next-line no-control-regex -- control characters are the point
const obeyed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const evil = 'a\u001b]0;owned\u0007\u001b[2J\nb\u009b31m\u202efsn.nsf';

const anything = fc.string({ maxLength: 40, unit: 'binary' });

test.each([
  [evil, 'a\\x1b]0;owned\\x07\\x1b[2J\\nb\\x9b31m\\u202efsn.nsf'],
  ['C:\\data\\Ärger ñ 日本 😀.nsf', 'C:\\data\\Ärger ñ 日本 😀.nsf'],
  ['half \ud800 and \udc00', 'half \\ud800 and \\udc00'],
])('%j is shown as %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('no text reaches a terminal with control characters, and JSON escapes them', () => {
  fc.assert(
    fc.property(anything, (text) => {
      expect(printable(text)).not.toMatch(obeyed);
      expect(printable(text)).not.toContain('\n');
      expect(printableLines(text)).not.toMatch(obeyed);
      const json = printableJson(JSON.stringify({ [text]: text }, null, 2));
      expect(json).not.toMatch(obeyed);
      expect(JSON.parse(json)).toEqual({ [text]: text });
    }),
    { numRuns: 1000 },
  );
});

test('only our own colours do, whatever is in the texts', () => {
  const paint = new Paint(true);
  fc.assert(
    fc.property(anything, anything, (name, text) => {
      const shown = paint.finish(`${paint.colors.red(name)} ${text}`);
      expect(shown.startsWith('\u001b[31m')).toBe(true);
      expect(shown.replace('\u001b[31m', '').replace('\u001b[39m', '')).not.toMatch(obeyed);
    }),
    { numRuns: 1000 },
  );
});

test('messages and texts are safe to log', () => {
  const failed = toDatabaseFailure(evil, { ...alreadyInProgress, text: `${evil} leads nowhere` });
  const error = toPublicError({ ...alreadyInProgress, subject: evil });
  expect(error.message).not.toMatch(obeyed);
  expect(error).toMatchObject({ database: evil });
  expect(failed.text).not.toMatch(obeyed);
  expect(failed.database).toBe(evil);
});

describe('a database with such a name', () => {
  let domino: FakeDomino;
  const name = `mail/${evil}`;

  beforeEach(() => {
    domino = new FakeDomino(['names.nsf', name]);
    domino.aliases = [{ alias: `x${evil}`, path: name }];
  });

  afterEach(() => {
    domino.destroy();
  });

  async function run(...args: string[]): Promise<string> {
    let text = '';
    const sink = (isTTY: boolean) => {
      const write = (chunk: unknown, _encoding: unknown, done: () => void): void => {
        text += String(chunk);
        done();
      };
      return Object.assign(new Writable({ write }), { isTTY });
    };
    await runCommandLine(args, {
      loadBinding: () => domino.binding,
      stdout: sink(false),
      stderr: sink(true),
      env: {},
      workingDirectory: domino.root,
      signal: new AbortController().signal,
      relaunch: () => Promise.resolve(undefined),
    });
    return text;
  }

  linuxTest('is shown escaped by every command that shows it, and is exact in JSON', async () => {
    const place = ['--delta-dir', 'delta'];
    const location = ['--ini', 'data/notes.ini', '--program', 'program'];
    const made = JSON.parse(await run('backup', 'run', ...place, ...location, '--to', 'copies', '--json')) as {
      readonly id: string;
    };
    const shown = await run('backup', 'show', made.id, ...place);
    expect(shown).toContain('xa\\x1b]0;owned\\x07');
    const planned = await run('restore', made.id, name, ...place, ...location, '--dry-run');
    expect(planned).toContain('\\x1b[2J');
    const missing = await run('restore', made.id, `no${evil}`, ...place, ...location);
    expect(missing).toContain('no database "noa\\x1b]0');
    const unknown = await run('backup', `--${evil}`);
    for (const text of [shown, planned, missing, unknown]) expect(text).not.toMatch(obeyed);
    const json = await run('backup', 'show', made.id, ...place, '--json');
    expect(json).not.toMatch(obeyed);
    expect(JSON.parse(json)).toMatchObject({ aliases: domino.aliases });
    const again = await run('restore', made.id, name, ...place, ...location, '--json');
    expect(JSON.parse(again)).toMatchObject({ databases: [{ result: 'restored', database: name }] });
  });
});

test('a process that ends at once makes the cursor visible again', () => {
  let text = '';
  const write = (chunk: unknown, _encoding: unknown, done: () => void): void => {
    text += String(chunk);
    done();
  };
  const stderr = Object.assign(new Writable({ write }), { isTTY: true });
  const before = process.listeners('exit');
  const bar = new ProgressBar({ stderr, env: {} } as unknown as CommandLineContext, false);
  bar.listener({ type: 'databases', phase: 'open', done: 1, total: 2 });
  expect(text).toContain('\u001b[?25l');
  expect(text).not.toContain('\u001b[?25h');
  for (const listener of process.listeners('exit')) if (!before.includes(listener)) listener.call(process, 130);
  expect(text).toContain('\u001b[?25h');
  expect(process.listeners('exit')).toEqual(before);
});
