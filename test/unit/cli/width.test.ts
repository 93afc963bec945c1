// The output of the commands fits the terminal: no line is too long, words are whole if possible, and columns stay aligned. In a
// pipe, lines are not wrapped, and a terminal gets no codes that it does not understand.

import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import type { CommandLineContext } from '#lib/cli/context';
import { wholeGrammar } from '#lib/cli/pages/pages';
import { ProgressBar } from '#lib/cli/progress-bar';
import { displayWidth, fitTable, wrap } from '#lib/cli/width';
import { alreadyInProgress, FakeDomino } from '../fake-binding';
import { linuxDescribe } from '../../platform';
import { location, run } from './run';

const widths = [60, 100, 200];
const place = ['--delta-dir', 'delta'];
const long = `mail/${'departments of the headquarters/'.repeat(3)}ada lovelace and others.nsf`;

/** The beginning of each drawing of a progress bar. */
// eslint-disable-next-line no-control-regex -- control characters are the point
const movement = /\u001b\[[\d;?]*[A-Za-z]|\r/;

/** A terminal that records its input. */
function terminal(columns: number): { text: string; write: (text: string) => void; isTTY: true; columns: number } {
  return {
    text: '',
    write(text) {
      this.text += text;
    },
    isTTY: true,
    columns,
  };
}

linuxDescribe('every command', () => {
  let domino: FakeDomino;
  let id: string;

  beforeEach(async () => {
    domino = new FakeDomino(['names.nsf', 'mail/ada.nsf', 'mail/日本語のデータベース.nsf', long]);
    domino.aliases = [{ alias: 'an alias of a directory with a long name/ada.nsf', path: long }];
    domino.refusing.set('names.nsf', alreadyInProgress);
    const { stdout } = await run(domino, ['backup', 'run', ...place, ...location, '--to', 'copies', '--json']);
    ({ id } = JSON.parse(stdout) as { id: string });
  });

  afterEach(() => {
    domino.destroy();
  });

  const commands = (): string[][] => [
    ['--help'],
    ['backup', 'run', '--help'],
    ['bench', '--help'],
    ['hold', '--help'],
    ['doctor', ...place, ...location],
    ['databases', 'list', ...location],
    ['backup', 'run', ...place, ...location, '--to', 'copies'],
    ['backup', 'run', ...place, ...location, '--dry-run', '--to', 'copies'],
    ['backup', 'list', ...place],
    ['backup', 'show', id, ...place],
    ['backup', 'verify', id, ...place],
    ['backup', 'prune', ...place, '--keep-last', '1', '--dry-run'],
    ['rehearse', ...place, ...location],
    ['bench', ...place, ...location, '--runs', '1', '--compare'],
    ['restore', id, 'mail/ada.nsf', ...place, ...location, '--dry-run'],
    ['restore', id, 'mail/ada.nsf', ...place, ...location],
    ['restore', id, 'mail/nobody.nsf', ...place, ...location],
    ['recover', ...place, ...location],
  ];

  test.each(widths)(
    'fits a terminal of %i columns',
    async (columns) => {
      for (const args of commands()) {
        const [stdout, stderr] = [terminal(columns), terminal(columns)];
        await run(domino, args, { stdout, stderr });
        const lines = [stdout.text, ...stderr.text.split(movement)].flatMap((text) =>
          stripVTControlCharacters(text).split('\n'),
        );
        // Text that people copy, such as a command or a path, stays on one line; the terminal wraps it.
        const copied = /^ {2}\$ |^ *\S+$/;
        const tooLong = lines.filter((line) => displayWidth(line) > columns && !copied.test(line));
        // Both edges of the picture of the window stay aligned.
        const edges = lines
          .filter((line) => line.includes('│'))
          .map((line) => [line.indexOf('│'), line.lastIndexOf('│')]);
        expect({ args, edges }).toEqual({ args, edges: edges.map(() => edges[0]) });
        expect(edges.every(([left = 0, right = 0]) => right > left)).toBe(true);
        expect({ args, tooLong }).toEqual({ args, tooLong: [] });
        expect({ args, cut: lines.filter((line) => /\S…(?: |$)/.test(line)) }).toEqual({
          args,
          cut: [],
        });
        expect(lines.length).toBeGreaterThan(1);
      }
    },
    60_000,
  );

  test('is written in whole lines into a pipe, and without a code', async () => {
    const { stdout } = await run(domino, ['backup', 'show', id, ...place]);
    expect(stdout).toMatch(new RegExp(`^alias +.* → ${long}$`, 'm'));
    expect(stdout).not.toContain('\u001b');
  });

  test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('has no colours, nor anything that moves, with %j', async (env) => {
    for (const args of [
      ['backup', 'run', ...place, ...location, '--to', 'copies'],
      ['bench', ...place, ...location, '--runs', '1'],
    ]) {
      const [stdout, stderr] = [terminal(100), terminal(100)];
      await run(domino, args, { stdout, stderr, env });
      expect(stdout.text).toContain('freeze window');
      expect(stdout.text).not.toContain('\u001b');
      if ('TERM' in env) expect(stderr.text).toBe('');
    }
    const stdout = terminal(100);
    await run(domino, ['backup', 'list', ...place], { stdout, env: { TERM: 'xterm' } });
    expect(stdout.text).toContain('\u001b[33mpartial');
  });

  test('has the same columns in a table at each width', async () => {
    const shown = await Promise.all(
      widths.map(async (columns) => {
        const stdout = terminal(columns);
        await run(domino, ['backup', 'list', ...place], { stdout, env: { NO_COLOR: '1' } });
        return stdout.text;
      }),
    );
    expect(shown[1]).toBe(shown[2]);
    // The id, which people copy, stays whole even in the narrowest terminal; each value is below its title.
    const [head = '', ...lines] = shown[0]!.split('\n');
    const first = lines.find((line) => line.startsWith(`${id} `)) ?? '';
    expect(head.indexOf('OUTCOME')).toBe(first.indexOf('partial'));
  });
});

describe('the help of every command', () => {
  const { grammar } = wholeGrammar();
  const domino = new FakeDomino();

  afterAll(() => {
    domino.destroy();
  });

  // 80: in a pipe.
  test.each([60, 80, 100, 200])('has no line in a paragraph that ends early, at %i columns', async (columns) => {
    for (const { name } of [{ name: '' }, ...grammar.commands]) {
      const stdout = { ...terminal(columns), isTTY: columns !== 80 };
      await run(domino, [...name.split(' ').filter((word) => word !== ''), '--help'], { stdout });
      const lines = stdout.text.split('\n');
      const early = lines.filter((line, index) => {
        const next = lines[index + 1] ?? '';
        if (!/^\S/.test(line) || !/^\S/.test(next)) return false;
        return displayWidth(`${line} ${next.split(' ')[0] ?? ''}`) <= columns;
      });
      expect({ name, early }).toEqual({ name, early: [] });
      expect(lines.filter((line) => /^\S/.test(line) && displayWidth(line) > columns)).toEqual([]);
    }
  });
});

test('a progress bar leaves room for what it says', async () => {
  for (const columns of widths) {
    let text = '';
    const write = (chunk: unknown, _encoding: unknown, done: () => void): void => {
      text += String(chunk);
      done();
    };
    const stderr = Object.assign(new Writable({ write }), { isTTY: true, columns });
    const bar = new ProgressBar({ stderr, env: {} } as unknown as CommandLineContext, false);
    bar.listener({ type: 'databases', phase: 'drain', done: 20_000, total: 20_000 });
    bar.end();
    const drawn = text.split(movement).find((line) => line.includes('fetching'));
    expect(drawn).toMatch(/^fetching change information +[█░]+ \d+\/20000/);
    expect(displayWidth(drawn!.trimEnd())).toBeLessThanOrEqual(columns);
  }
});

const words = fc.array(
  fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom('a', 'b', 'c', 'é', '日', '/', '\\', '-', '😀') }),
  {
    maxLength: 12,
  },
);

test('wrapping loses nothing, and nothing is wider than it may be', () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 40, max: 120 }), (text, columns) => {
      const line = text.join(' ');
      const lines = wrap(line, columns, { breaking: true });
      for (const each of lines) expect(displayWidth(each)).toBeLessThanOrEqual(columns);
      expect(lines.join('').replaceAll(' ', '')).toBe(line.replaceAll(' ', ''));
    }),
    { numRuns: 500 },
  );
});

test('the cells of a table are broken so that it fits, and lose nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(words, words, words, words), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 40, max: 120 }),
      (rows, columns) => {
        const cells = rows.map((row) => row.map((cell) => cell.join(' ')));
        const { rows: fitted, gap } = fitTable(cells, columns);
        const widest = [0, 1, 2, 3].map((index) =>
          Math.max(...fitted.flatMap((row) => (row[index] ?? '').split('\n').map(displayWidth))),
        );
        expect(widest.reduce((sum, width) => sum + width, 3 * gap)).toBeLessThanOrEqual(columns);
        const plain = (table: readonly (readonly string[])[]): string => table.flat().join('').replace(/[ \n]/g, '');
        expect(plain(fitted)).toBe(plain(cells));
      },
    ),
    { numRuns: 300 },
  );
});
