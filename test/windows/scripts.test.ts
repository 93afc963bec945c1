// diskshadow scripts on Windows: the two scripts of the migration page as two processes of the command line, and every fixture
// as far as it can be checked without running it.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixtureDirectory, fixtureNames, readFixture } from '../unit/script/fixture';
import { commandOn } from './command';
import { Machine } from './machine';

const machine = new Machine();
const command = commandOn(machine);
const file = join(machine.homes[1], 'file.txt');
const exposed = `B:${file.slice(2)}`;
/** Where the start script puts its metadata. */
const metadata = 'C:\\backup';

beforeAll(() => {
  rmSync(metadata, { recursive: true, force: true });
  mkdirSync(metadata);
});

afterAll(() => {
  rmSync(metadata, { recursive: true, force: true });
  machine[Symbol.dispose]();
});

test('the start script exposes the volume as it was, and the stop script takes it away', async () => {
  writeFileSync(file, 'before');
  const log = join(machine.homes[0], 'start.log');
  const start = await command('script', '-s', join(fixtureDirectory, 'seeds', 'backup_start.txt'), '-l', log);
  expect(start).toMatchObject({ code: 0, stderr: '' });
  expect(start.stdout).toContain('%backup_d% is not created yet; create has to come first and is run now');
  expect(readFileSync(log, 'utf8')).toContain('exposed as B:');
  expect(readdirSync(metadata)).toEqual([expect.stringMatching(/\.cab$/)]);
  expect(
    readFileSync(join(metadata, readdirSync(metadata)[0] ?? ''))
      .subarray(0, 4)
      .toString(),
  ).toBe('MSCF');

  writeFileSync(file, 'after');
  expect(readFileSync(exposed, 'utf8')).toBe('before');
  expect(machine.shadows()).toHaveLength(1);

  const stop = await command('script', '-s', join(fixtureDirectory, 'seeds', 'backup_stop.txt'));
  expect(stop).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(exposed)).toBe(false);
  expect(existsSync('B:\\')).toBe(false);
  expect(machine.shadows()).toEqual([]);
  machine.expectNoLeaks();
});

test('checking touches nothing', async () => {
  machine.forgetCalls();
  const before = readdirSync(metadata);
  const check = await command('script', '--check', join(fixtureDirectory, 'seeds', 'backup_start.txt'));
  expect({ ...check, stderr: '' }).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('would be run') as unknown,
  });

  const fixtures = await Promise.all(fixtureNames().map(readFixture));
  expect(fixtures.length).toBeGreaterThanOrEqual(40);
  const files = fixtures.map(({ name }) => join(fixtureDirectory, name));
  const answers = await machine.run('scripts-program.js', files);
  expect(answers).toEqual(fixtures.map(({ check: exitCode }, index) => ({ file: files[index], exitCode })));

  expect(machine.calls()).toEqual([]);
  expect(readdirSync(metadata)).toEqual(before);
});
