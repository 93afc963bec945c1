import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FakeDomino } from '../fake-binding';
import { location, run as runIn, type Run } from './run';

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

const run = (...args: readonly string[]): Promise<Run> => runIn(domino, [...args, ...location]);

test('databases list shows what a backup would take, and why it leaves out the rest', async () => {
  const { exitCode, stdout } = await run('databases', 'list', '--exclude', 'names.nsf', '--exclude', 'typo/*');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^names\.nsf .* excluded$/m);
  expect(stdout).toMatch(/^warning WARN_GLOB_UNMATCHED: .*typo\/\*/m);
  const { stdout: json } = await run('databases', 'list', '--exclude', 'names.nsf', '--json');
  const { databases } = JSON.parse(json) as { databases: { path: string; leftOut?: string }[] };
  const taken = databases.filter(({ leftOut }) => leftOut === undefined);
  expect(stdout).toContain(`${taken.length} database`);
  expect(taken.map(({ path }) => path)).not.toContain('names.nsf');
});

describe('backup run --dry-run', () => {
  const dry = (...more: string[]) => run('backup', 'run', '--delta-dir', 'delta', '--keep', '--dry-run', ...more);

  test('opens and makes nothing', async () => {
    const { stdout } = await dry();
    expect(stdout).toContain('would be backed up');
    expect(stdout).toContain('this was a dry run');
    expect(domino.calls).not.toContain('close'); // the last call of every session
    expect(existsSync(join(domino.root, 'delta'))).toBe(false);
    await run('backup', 'run', '--delta-dir', 'delta', '--keep');
    expect(domino.calls).toContain('close');
  });

  test('names a required database that is not there', async () => {
    const { exitCode, stdout } = await dry('--required', 'missing.nsf');
    expect(stdout).toContain('--required missing.nsf matches nothing');
    expect(exitCode).not.toBe(0);
  });

  test('is refused where there is nothing to look at', async () => {
    expect(await dry('--stop-service', 'domino.service')).toMatchObject({ exitCode: 2 });
  });
});
