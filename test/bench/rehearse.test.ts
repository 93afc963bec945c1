import { beginBackup } from '#lib/backup/begin-backup';
import { runCommandLine } from '#lib/cli/program';
import { rehearse, type RehearseOptions, type RehearsalReport } from '#lib/backup/rehearse';
import { spread } from '#lib/backup/spread';
import { measurePerformance, type Timeline } from '#lib/backup/timeline';
import { alreadyInProgress, fail, FakeDomino } from '../unit/fake-binding';

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

function run(options: Partial<RehearseOptions> = {}): Promise<RehearsalReport> {
  return rehearse(() => domino.binding, {
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    ...options,
  });
}

function expectNothingLeft(): void {
  expect(domino.inBackupMode).toEqual(new Set());
  expect(domino.openSessions).toEqual(new Set());
  expect(domino.remains()).toEqual([]);
}

test('names the databases that refuse, predicts the window, and leaves nothing', async () => {
  domino.refusing.set('mail/ada.nsf', alreadyInProgress);
  let inBackupMode = 0;
  domino.onCall = (name) => {
    if (name === 'capture') inBackupMode = domino.inBackupMode.size;
  };
  const report = await run({ shards: 2, expectedShadowMs: 500 });
  expect(inBackupMode).toBe(3);
  expect(report).toMatchObject({ databases: 3, shards: 2 });
  expect(report.refused).toMatchObject([{ database: 'mail/ada.nsf', statusName: 'ERR_BACKUP_ALREADY_IN_PROGRESS' }]);
  expect(report.start.count).toBe(3);
  expect(report.start.sum).toBeGreaterThan(0);
  expect(report.predictedWindowMs).toBeCloseTo((report.start.sum + report.stop.sum) / 2 + 500);
  expect(report.slowest.map(({ database }) => database)).not.toContain('mail/ada.nsf');
  expect(report.slowest).toHaveLength(3);
  expectNothingLeft();
});

test('takes everything back when it is aborted', async () => {
  await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  const controller = new AbortController();
  domino.onCall = (name) => {
    if (name === 'capture') controller.abort();
  };
  await expect(run({ signal: controller.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expectNothingLeft();
});

test('says what could not be taken back, unless another error says why', async () => {
  domino.onCall = (name) => {
    if (name === 'close') fail({ code: 'ERR_SHADOW', domain: 'system', status: 16 });
  };
  await expect(run()).rejects.toMatchObject({ code: 'ERR_SHADOW' });
  const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
  for (const path of domino.catalog().paths) domino.refusing.set(path, alreadyInProgress);
  await expect(run()).rejects.toMatchObject({ code: 'ERR_NO_DATABASES' });
  expect(warned).toHaveBeenCalledTimes(1);
  warned.mockRestore();
});

test('fails with every reason when all refuse', async () => {
  for (const path of domino.catalog().paths) domino.refusing.set(path, alreadyInProgress);
  await expect(run()).rejects.toMatchObject({ code: 'ERR_NO_DATABASES', failures: { length: 4 } });
  expectNothingLeft();
});

test.each([
  ['unknown option', { shadowMs: 1 }],
  ['negative shadow', { expectedShadowMs: -1 }],
  ['no shard', { shards: 0 }],
])('%s is refused', async (_title, options) => {
  await expect(run(options as Partial<RehearseOptions>)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  expect(domino.calls).toEqual([]);
});

test('the command line tells refusals apart by its exit code', async () => {
  const runCommand = async (): Promise<{ exitCode: number; stdout: string }> => {
    const out: string[] = [];
    const exitCode = await runCommandLine(
      ['rehearse', '--delta-dir', 'delta', '--ini', 'data/notes.ini', '--program', 'program'],
      {
        loadBinding: () => domino.binding,
        stdout: { write: (text) => out.push(text) },
        stderr: { write: () => true },
        env: {},
        workingDirectory: domino.root,
        signal: new AbortController().signal,
        relaunch: () => Promise.resolve(undefined),
      },
    );
    return { exitCode, stdout: out.join('') };
  };
  const good = await runCommand();
  expect(good.exitCode).toBe(0);
  expect(good.stdout).toContain('expected window');
  domino.refusing.set('names.nsf', alreadyInProgress);
  const partial = await runCommand();
  expect(partial.exitCode).toBe(3);
  expect(partial.stdout).toMatch(/names\.nsf {2}NSFBackupStart/);
});

test('percentiles by nearest rank', () => {
  expect(spread([])).toEqual({ count: 0, sum: 0, min: 0, median: 0, p95: 0, p99: 0, max: 0 });
  expect(spread(Array.from({ length: 100 }, (_value, index) => 100 - index))).toEqual({
    count: 100,
    sum: 5050,
    min: 1,
    median: 50,
    p95: 95,
    p99: 99,
    max: 100,
  });
});

test('a window enters the performance timeline where it belongs, and only on request', async () => {
  const timeline = {
    originNs: process.hrtime.bigint(),
    beginMs: 5,
    windowMs: 20,
    phases: [{ phase: 'shadow', beginMs: 10, endMs: 14 }],
  } as unknown as Timeline;
  const now = performance.now();
  measurePerformance({ backupId: 'one', timeline });
  const [window] = performance.getEntriesByName('domino-vss window');
  expect(window).toMatchObject({ entryType: 'measure', detail: { backupId: 'one' } });
  expect(window!.duration).toBeCloseTo(20, 3);
  expect(Math.abs(window!.startTime - now - 5)).toBeLessThan(5);
  expect(performance.getEntriesByName('domino-vss shadow')[0]?.duration).toBeCloseTo(4, 3);
  performance.clearMeasures();

  // The fake engine's clock began before this process did.
  const originNs = process.hrtime.bigint();
  const createSession = domino.binding.createSession.bind(domino.binding);
  domino.binding.createSession = (options) => {
    const session = createSession(options);
    const results = session.results.bind(session);
    session.results = () => ({ ...results(), originNs });
    return session;
  };
  for (const performanceMeasures of [undefined, true]) {
    const backup = await beginBackup(() => domino.binding, {
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
    });
    await backup.createShadow({ performanceMeasures });
    await backup.dispose();
    expect(performance.getEntriesByName('domino-vss window')).toHaveLength(performanceMeasures ? 1 : 0);
  }
  performance.clearMeasures();
});
