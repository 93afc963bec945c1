import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { measureWindow } from '#lib/bench/measure';
import { runCommandLine } from '#lib/cli/program';
import type { BenchReport } from '#lib/bench/bench';
import { buildTimeline } from '#lib/backup/timeline';
import type { NativeResults } from '#lib/native/session';
import { alreadyInProgress, FakeDomino } from '../unit/fake-binding';
import { linuxTest } from '../platform';

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino(['names.nsf', 'mail/ada.nsf', 'mail/</script>&.nsf']);
});

afterEach(() => {
  domino.destroy();
});

async function bench(...more: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const location = ['--ini', 'data/notes.ini', '--program', 'program'];
  const exitCode = await runCommandLine(['bench', '--delta-dir', 'delta', ...location, ...more], {
    loadBinding: () => domino.binding,
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: {},
    workingDirectory: domino.root,
    signal: new AbortController().signal,
    relaunch: () => Promise.resolve(undefined),
  });
  return { exitCode, stdout: out.join(''), stderr: err.join('') };
}

test('measures the runs that count and leaves nothing of any', async () => {
  const { exitCode, stdout, stderr } = await bench('--runs', '3', '--warm-ups', '2', '--json');
  expect([exitCode, stderr]).toEqual([0, '']);
  const report = JSON.parse(stdout) as BenchReport;
  expect(report.runs).toHaveLength(3);
  expect(domino.calls.filter((name) => name === 'capture')).toHaveLength(5);
  expect(report.conditions).toMatchObject({ databases: 3, provider: 'reflink', runs: 3, warmUps: 2 });
  expect(report.conditions).toMatchObject({ server: 'CN=ada/O=Acme', computer: hostname() });
  expect(Math.abs(Date.parse(report.conditions.measuredAt) - Date.now())).toBeLessThan(60_000);
  expect(report.figures['windowMs']).toMatchObject({ count: 3 });
  expect(domino.remains()).toEqual([]);
  expect(readdirSync(domino.deltaDirectory)).toEqual(['.journal']);
});

test('waits in place of a shadow', async () => {
  const before = performance.now();
  const { stdout } = await bench('--runs', '1', '--warm-ups', '0', '--shadow-ms', '120');
  expect(performance.now() - before).toBeGreaterThan(119);
  expect(stdout).toContain('provider wait 120 ms');
  // With a single run, every percentile would be that run.
  expect(stdout).toMatch(/^OVER THE RUNS +MIN +MEDIAN +MAX$/m);
});

test('makes the same backup as people do it today, in turn with ours', async () => {
  const sessions = jest.spyOn(domino.binding, 'createSession');
  const { exitCode, stdout } = await bench('--runs', '2', '--warm-ups', '1', '--compare', '--json');
  expect(exitCode).toBe(0);
  const { compared } = JSON.parse(stdout) as BenchReport;
  expect(compared.map(({ way }) => way)).toEqual(['one database after another']);
  expect(compared[0]!.windowMs.count).toBe(2);
  expect(sessions.mock.calls.map(([{ shards }]) => shards === 1)).toEqual([false, true, false, true, false, true]);
  expect(domino.remains()).toEqual([]);
});

test('when to stop is a question for VSS alone', async () => {
  const { exitCode, stderr } = await bench('--stop-at', 'thaw');
  expect([exitCode, domino.calls.includes('capture')]).toEqual([2, false]);
  expect(stderr).toMatch(/^error: an option for VSS has no meaning here: .* exists on Windows only$/m);
});

test('says which databases were left out', async () => {
  domino.refusing.set('names.nsf', alreadyInProgress);
  const { exitCode, stdout } = await bench('--runs', '1');
  expect(exitCode).toBe(3);
  expect(stdout).toMatch(/names\.nsf {2}NSFBackupStart/);
});

test('writes a table, a trace and a page', async () => {
  domino.refusing.set('names.nsf', alreadyInProgress);
  await bench('--runs', '2', '--csv', 'runs.csv', '--trace', 'trace.json', '--html', 'page.html');
  const read = (name: string): string => readFileSync(join(domino.root, name), 'utf8');

  const [head, ...lines] = read('runs.csv').trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(line.split(',')).toHaveLength(head!.split(',').length);

  const { traceEvents } = JSON.parse(read('trace.json')) as {
    traceEvents: { name: string; ph: string; args?: { database?: string } }[];
  };
  const starts = traceEvents.filter(({ name, ph }) => name === 'NSFBackupStart' && ph === 'X');
  expect(starts.map(({ args }) => args?.database)).toEqual(['mail/</script>&.nsf', 'mail/ada.nsf']);
  expect(traceEvents.filter(({ name }) => name === 'shadow')).toHaveLength(1);

  const page = read('page.html');
  const json = /<script id="data" type="application\/json">([^]*?)<\/script>/.exec(page)?.[1];
  const { paths, report } = JSON.parse(json!) as { paths: string[]; report: BenchReport };
  expect(paths).toContain('mail/</script>&.nsf');
  expect(report.runs).toHaveLength(2);
  const program = /<script type="module">([^]*?)<\/script>/.exec(page)?.[1];
  expect(() => new Script(program!)).not.toThrow();
  expect(page).not.toMatch(/(src|href)=/);
});

test('no run is a wrong use, a place that cannot be written an error', async () => {
  expect((await bench('--runs', '0')).exitCode).toBe(2);
  expect(domino.calls).toEqual([]);
  const { exitCode, stderr } = await bench('--runs', '1', '--csv', 'missing/runs.csv');
  expect([exitCode, existsSync(join(domino.root, 'missing'))]).toEqual([1, false]);
  expect(stderr).toContain('ERR_FILE_SYSTEM');
});

linuxTest('a full disk is told by its own code', async () => {
  for (const option of ['--csv', '--trace', '--html']) {
    const { exitCode, stderr } = await bench('--runs', '1', option, '/dev/full');
    expect([option, exitCode]).toEqual([option, 4]);
    expect(stderr).toContain('ERR_NO_SPACE');
  }
});

test('the ideal window is what the calls cost, spread over the shards', async () => {
  // Two shards: starts of 10 and 20 ms, a shadow of 50, stops of 4 and 6; 3 ms wasted before and 5 after the shadow.
  const results = {
    count: 2,
    shard: Uint16Array.of(0, 1),
    startCalledMs: Float64Array.of(100, 100),
    startReturnedMs: Float64Array.of(110, 120),
    stopCalledMs: Float64Array.of(178, 178),
    stopReturnedMs: Float64Array.of(182, 184),
    originNs: 0n,
    phases: [
      { phase: 'prepare', beginMs: 90, endMs: 99.5 },
      { phase: 'start', beginMs: 99.6, endMs: 121 },
      { phase: 'shadow', beginMs: 123, endMs: 173 },
      { phase: 'stop', beginMs: 174, endMs: 184.5 },
    ],
  } as unknown as NativeResults;
  const measure = measureWindow(await buildTimeline(results), 16);
  expect(measure).toMatchObject({
    windowMs: 84,
    idealMs: 15 + 50 + 5,
    windowRatio: 84 / 70,
    skewMs: 10,
    skewRatio: 10 / 15,
    preparedToFirstStartMs: 0.5,
    lastStartToShadowMs: 3,
    shadowToFirstStopMs: 5,
  });
  const ofFiles = { ...results, phases: results.phases.filter(({ phase }) => phase !== 'stop') };
  expect(measureWindow(await buildTimeline(ofFiles), 2)).toMatchObject({ idealMs: null, windowRatio: null });
});
