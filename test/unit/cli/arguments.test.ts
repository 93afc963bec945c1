// How the words of a command line are interpreted.

import { duration } from '#lib/cli/arguments';
import { FakeDomino } from '../fake-binding';
import { run } from './run';

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

test('help takes the words of a command, as its --help does (T12)', async () => {
  const help = await run(domino, ['help', 'backup', 'run']);
  expect(help.stdout).toMatch(/^Usage: domino-vss backup run /);
  expect(help).toEqual(await run(domino, ['backup', 'run', '--help']));
  expect(await run(domino, ['help', 'thaw'])).toEqual(await run(domino, ['release', '--help']));
  expect(await run(domino, ['help', 'backup', 'fly'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("there is no command 'backup fly'"),
  });
});

test('a duration is a number of seconds, or has a unit (T12)', () => {
  const read = ['5m', '90', '90s', '500ms', '1.5h', '2d', ' 3m '].map(duration);
  expect(read).toEqual([300_000, 90_000, 90_000, 500, 5_400_000, 172_800_000, 180_000]);
  for (const wrong of ['', '0', '0s', '-5m', '5 minutes', '5M', 'm', '1e3', '0x10', '99999999999999d']) {
    expect(() => duration(wrong)).toThrow('It must be a time above 0');
  }
});

test.each([
  [['backup', 'run', '--delta-dir', 'delta', '--to', ''], "option '--to <dir>' argument '' is invalid"],
  [['backup', 'run', '--delta-dir=', '--to', 'copies'], "option '--delta-dir <dir>' argument '' is invalid"],
  [['--config', '', 'backup', 'list', '--delta-dir', 'delta'], "option '--config <file>' argument '' is invalid"],
  [['restore', 'delta', 'mail/ada.nsf', '--to-directory='], "option '--to-directory <dir>' argument '' is invalid"],
  [['backup', 'verify', '', '--delta-dir', 'delta'], 'an argument must not be empty'],
])('an empty value in %j does not mean the working directory', async (args, message) => {
  expect(await run(domino, args)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(message) });
  expect(domino.calls).toEqual([]);
});
