// The command line as used by someone who knows nothing about Domino's environment: processes, screens and exit codes.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Server, Settings } from 'domino-vss-simulator';
import { libraryName } from '#lib/domino/environment';
import {
  locationFlags,
  mainScript,
  run,
  RunningProcess,
  start,
  until,
  type Ended,
  type ProcessOptions,
} from './command-line';
import { SimulatedDomino } from './simulated-domino';
import { linuxDescribe, memoryDirectory } from '../platform';

let domino: SimulatedDomino;
let server: Server;
let location: string[];

const victim = 'mail/db000003.nsf';
const escape = String.fromCharCode(27);

beforeAll(async () => {
  // In memory: these tests check output and timing, and a busy disk would disturb them.
  domino = await SimulatedDomino.create({ databases: 12, plainNames: true, pages: [40, 80] }, memoryDirectory);
  server = await domino.serve({ threads: 1, transactionsPerSecond: 200 });
  location = locationFlags(domino);
});

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

/** The user's directory; relative paths start here. */
const here = (): ProcessOptions => ({ cwd: domino.home });
const inHome = (...path: string[]): string => join(domino.home, ...path);
const inData = (path: string): string => join(domino.simulation.dataDirectory, path);

/** A backup of all databases to `backup` in the user's directory. */
function backupArguments(...more: readonly string[]): string[] {
  const keeps = ['--to', '--keep', '--expose'].some((option) => more.includes(option));
  const args = ['backup', 'run', '--delta-dir', 'backup', '--provider', 'rolling', ...location, ...more];
  return keeps ? args : [...args, '--keep-nothing'];
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

/** Id of the session of a process: the pid of the process that created it. */
function sessionOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
}

function document(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}

async function isConsistent(...files: readonly string[]): Promise<boolean> {
  await server.pause();
  const verdicts = await domino.simulation.verify(files);
  await server.resume();
  return verdicts.every(({ verdict }) => verdict === 'consistent');
}

/** Nothing is in backup mode, no handle is open, no process except the server is running, and the user's directory is empty. */
async function expectNothingLeft(): Promise<void> {
  await domino.expectQuiet();
  const { processes } = await domino.simulation.stats();
  expect(processes.filter(({ role }) => role === 'api')).toEqual([]);
  expect(readdirSync(inHome('backup', '.journal'))).toEqual([]);
  expect(readdirSync(inHome('backup')).filter((name) => name !== '.journal')).toEqual([]);
}

describe('help', () => {
  test.each([
    ['', 'domino-vss backup run --delta-dir'],
    ['backup', 'domino-vss backup run --delta-dir'],
    ['backup run', 'domino-vss backup run --delta-dir'],
    ['backup list', 'domino-vss backup list --delta-dir'],
    ['backup show', 'domino-vss backup show '],
    ['rehearse', 'domino-vss rehearse --delta-dir'],
    ['restore', 'domino-vss restore '],
    ['doctor', 'domino-vss doctor --delta-dir'],
  ])('of "%s" has an example', async (command, example) => {
    const { code, stdout, stderr } = await run([...command.split(' ').filter(Boolean), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(firstLine(stdout)).toContain(`Usage: domino-vss ${command}`.trim());
    expect(stdout).toContain(`$ ${example}`);
    expect(stdout).not.toContain(escape);
  });
});

describe('wrong usage', () => {
  test.each<[string, readonly string[], string]>([
    ['a command that is not there', ['bakup'], "error: unknown command 'bakup'\n(Did you mean backup?)"],
    [
      'a misspelt option',
      ['backup', 'run', '--delta-dri', 'backup'],
      "error: unknown option '--delta-dri'\n(Did you mean --delta-dir?)",
    ],
    ['no delta directory', ['backup', 'run'], "error: option '--delta-dir <dir>' is required"],
    ['no delta directory to list', ['backup', 'list'], "error: option '--delta-dir <dir>' is required"],
    ['a wrong choice', ['doctor', '--provider', 'zfs'], 'Allowed choices are auto, vss, btrfs, reflink, rolling.'],
    ['a wrong number', ['backup', 'run', '--delta-dir', 'backup', '--shards', 'many'], 'It must be a whole number.'],
    ['no backup', ['restore'], "error: missing required argument 'backup'"],
    ['an id without its directory', ['backup', 'show', 'x'], 'error: there is no backup "x"; name the delta directory'],
    [
      'an unknown id',
      ['backup', 'show', 'x', '--delta-dir', 'b'],
      `${sep}b; "domino-vss backup list" shows the existing ones`,
    ],
    ['two modes', ['restore', 'x', '--offline', '--as', 'y.nsf'], 'error: --offline and --as exclude each other'],
  ])('%s', async (_what, args, words) => {
    const { code, stdout, stderr } = await run(args, here());
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr).toMatch(/\(use --help for more\)\n$/);
  });

  test('that only the library finds names the option as it was given', async () => {
    const { code, stdout, stderr } = await run(backupArguments('--include', '../x.nsf'), here());
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(firstLine(stderr)).toBe(
      'error: --include must be relative to the data directory and stay inside it, got "../x.nsf"',
    );
  });

  test('with --json is a document too', async () => {
    const { code, stdout } = await run(['backup', 'run', '--delta-dri', 'b', '--json'], here());
    expect(code).toBe(2);
    expect(document(stdout)).toMatchObject({
      error: { code: 'ERR_OPTION', message: expect.stringContaining("unknown option '--delta-dri'") },
    });
  });
});

test('what is not there is said in words, with the right exit code', async () => {
  const missing = await run(['backup', 'list', '--delta-dir', 'nowhere'], here());
  expect(missing).toMatchObject({ code: 1, stdout: '' });
  expect(firstLine(missing.stderr)).toContain(`the delta directory ${inHome('nowhere')} cannot be read: ENOENT`);

  const noDomino = await run(
    ['backup', 'run', '--keep-nothing', '--delta-dir', 'backup', '--program', 'nowhere'],
    here(),
  );
  expect(noDomino).toMatchObject({ code: 4, stdout: '' });
  expect(firstLine(noDomino.stderr)).toBe(
    `failed ERR_DOMINO_LIBRARY: ${libraryName} not found; looked for: ${inHome('nowhere', libraryName)}`,
  );
  expect(noDomino.stderr).toContain('what to do: Name the Domino program directory');
});

describe('from backup to restore', () => {
  let id: string;

  afterAll(() => {
    rmSync(inHome('backup'), { recursive: true });
  });

  const restore = (...args: readonly string[]): Promise<Ended> =>
    run(['restore', id, ...args, '--delta-dir', 'backup', ...location], here());

  test('backup run --to', async () => {
    const { code, stdout, stderr } = await run(backupArguments('--to', 'copies'), here());
    // No terminal: no progress, no colours.
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain(escape);
    id = /^backup +(\S+) complete$/m.exec(stdout)?.[1] ?? '';
    expect(id).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{6}$/);
    expect(stdout).toMatch(/^freeze window .* ms, skew /m);
    expect(stdout).toMatch(/^in backup mode +│.*│ at most \d+$/m);
    expect(stdout).toMatch(/^databases +12 captured, [\d.]+ MB, \d+ logged$/m);
    expect(stdout).toContain(inHome('copies', id));
    expect(stdout).toMatch(/also save, in this order:\n {2}deltas and manifest/);
    const copies = domino.simulation.databases().map((path) => inHome('copies', id, path));
    expect(await isConsistent(...copies)).toBe(true);
    await domino.expectQuiet();
  });

  test('backup list and show', async () => {
    const [list, show, listJson, showJson] = await Promise.all([
      run(['backup', 'list', '--delta-dir', 'backup'], here()),
      run(['backup', 'show', id, '--delta-dir', 'backup'], here()),
      run(['backup', 'list', '--delta-dir', 'backup', '--json'], here()),
      run(['backup', 'show', join('backup', id), '--json'], here()),
    ]);
    for (const { code, stderr } of [list, show, listJson, showJson])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(list.stdout).toMatch(/^ID +OUTCOME +DATABASES +WINDOW +PROVIDER, HOLDS$/m);
    expect(list.stdout).toMatch(new RegExp(`^${id} +complete +12, .* rolling, copies$`, 'm'));
    expect(show.stdout).toMatch(/^in backup mode +│/m);
    expect(show.stdout).toMatch(/^server +CN=\S+, /m);
    expect(show.stdout).toContain(domino.simulation.dataDirectory);
    expect(JSON.parse(listJson.stdout)).toMatchObject([{ id, state: 'complete' }]);
    expect(JSON.parse(showJson.stdout)).toMatchObject({ id, counts: { captured: 12 } });
  });

  test('restore --dry-run shows the steps and touches nothing', async () => {
    await server.pause();
    const before = readFileSync(inData(victim));
    const { code, stdout, stderr } = await restore(victim, '--dry-run');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(firstLine(stdout)).toBe(`would restore 1 database of ${id}:`);
    expect(stdout).toMatch(/^ {3}1 {2}copy \d+ kB of .*copies.*db000003\.nsf to /m);
    expect(stdout).toContain(`take ${inData(victim)} offline, waiting up to 10s`);
    expect(stdout).toContain(`remove ${inData(victim)}.domino-vss-original`);
    expect(readFileSync(inData(victim)).equals(before)).toBe(true);
    await server.resume();
  });

  test('restore of one database on the running server', async () => {
    writeFileSync(inData(victim), 'destroyed');
    const { code, stdout, stderr } = await restore(victim);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^ {2}mail\/db000003\.nsf +(recovered from the log|state of the backup)$/m);
    expect(stdout).toContain(`restored 1 database of ${id}`);
    expect(await isConsistent(inData(victim))).toBe(true);
    await domino.expectQuiet();
  });

  test('restore --as puts it beside, and not twice', async () => {
    const { code, stdout } = await restore(victim, '--as', 'restored/old.nsf');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}mail\/db000003\.nsf +→ restored\/old\.nsf/m);
    expect(await isConsistent(inData('restored/old.nsf'))).toBe(true);

    const again = await restore(victim, '--as', 'restored/old.nsf');
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(firstLine(again.stderr)).toBe(`${victim}  ERR_RESTORE_TARGET: ${inData('restored/old.nsf')} already exists`);
    expect(again.stderr.match(/what to do:/g)).toHaveLength(1);
    rmSync(inData('restored'), { recursive: true });
  });

  test('restore of what was never backed up', async () => {
    const { code, stdout, stderr } = await restore('mail/nobody.nsf');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(firstLine(stderr)).toBe(`error: the backup ${id} contains no database "mail/nobody.nsf"`);
  });

  test('restore --offline with the server down', async () => {
    await server.stop();
    writeFileSync(inData(victim), 'destroyed');
    const { code, stdout } = await restore('mail/**', '--offline', '--json');
    expect(code).toBe(0);
    expect(document(stdout)).toMatchObject({ outcome: 'complete', backupId: id });
    server = await domino.serve({ threads: 1, transactionsPerSecond: 200, seed: 2 });
    expect(await isConsistent(...domino.simulation.databases().map(inData))).toBe(true);
  });

  test('a reader that closes the pipe early is not a failure', async () => {
    const shown = start(['backup', 'show', id, '--delta-dir', 'backup', '--json'], here());
    // The reader ends before anything is written.
    shown.child.stdout?.destroy();
    const { code, stderr } = await shown.ended;
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^warning WARN_OUTPUT_UNREAD: [^\n]+\n$/),
    });
  });
});

describe('outcomes', () => {
  afterEach(async () => {
    await domino.simulation.clearFaults();
    await domino.expectQuiet();
    rmSync(inHome('backup'), { recursive: true });
  });

  test('3: partial, failures first, each with what to do', async () => {
    await domino.simulation.fault(`NSFBackupStart:1+@${victim}=0x13aa`);
    const { code, stdout, stderr } = await run(backupArguments(), here());
    expect({ code, stderr }).toEqual({ code: 3, stderr: '' });
    const [first, second] = stdout.split('\n');
    expect(first).toMatch(/^mail\/db000003\.nsf {2}NSFBackupStart: ERR_CANT_BACKUP_DURING_COMPACT 0x13AA \(5034\): ./);
    expect(second).toBe('  what to do: Maintenance runs on this database; repeat the backup when it has ended.');
    expect(stdout).toMatch(/^backup +\S+ partial$/m);
    expect(stdout).toContain('11 captured, 1 left out');
  });

  test('1: failed, and nothing is left', async () => {
    await domino.simulation.fault('NSFBackupStart:1+=0x13aa');
    const { code, stdout, stderr } = await run(backupArguments(), here());
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('\nfailed ERR_NO_DATABASES: every database had to be left out\n');
    // Advice that is the same for all is given once.
    expect(stderr.match(/what to do: Maintenance runs/g)).toHaveLength(1);
    await expectNothingLeft();
  });

  test('--json prints one document and nothing else, whatever happens', async () => {
    const good = await run(backupArguments('--json'), here());
    expect(good).toMatchObject({ code: 0, stderr: '' });
    expect(document(good.stdout)).toMatchObject({ outcome: 'complete', counts: { captured: 12, skipped: 0 } });
    await domino.simulation.fault(`NSFBackupStart:1+@${victim}=0x13aa`);
    const failed = await run(backupArguments('--json', '--required', victim), here());
    expect(failed).toMatchObject({ code: 1, stderr: '' });
    expect(document(failed.stdout)).toMatchObject({
      error: {
        name: 'BackupError',
        code: 'ERR_REQUIRED_DATABASE',
        failures: [{ database: victim, status: 0x13aa, statusName: 'ERR_CANT_BACKUP_DURING_COMPACT' }],
      },
    });
    for (const { stdout } of [good, failed]) expect(stdout).not.toContain(escape);
  });
});

// With the program `script`; under Wine, a test cannot get a Windows console.
linuxDescribe('on a terminal', () => {
  afterEach(async () => {
    await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: null });
    await domino.expectQuiet();
    rmSync(inHome('backup'), { recursive: true });
  });

  /** Runs the command line on a pseudo terminal, which mixes its two outputs. */
  function startOnTerminal(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningProcess {
    const command = [process.execPath, mainScript, ...args].map((word) => `'${word}'`).join(' ');
    return new RunningProcess('script', ['-qec', `stty cols 100; ${command}`, '/dev/null'], {
      ...here(),
      env: { TERM: 'xterm-256color', SHELL: '/bin/sh', ...env },
      withInput: true,
    });
  }

  test('there are a progress bar and colours', async () => {
    await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: 100_000 });
    const { code, stdout } = await startOnTerminal(backupArguments('--shards', '1')).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/making the shadow +█+░* \d+\/12/);
    expect(stdout).toContain(`${escape}[32mcomplete${escape}[39m`);
    // When the report appears, the bars are gone and the cursor is visible again.
    const report = stdout.slice(stdout.indexOf('freeze window'));
    expect(report).not.toContain('░');
    expect(stdout.lastIndexOf(`${escape}[?25h`)).toBeGreaterThan(stdout.lastIndexOf(`${escape}[?25l`));
    expect(existsSync(inHome('backup'))).toBe(true);
  });

  test('a restore shows what it does with which database', async () => {
    const made = await run(backupArguments('--to', 'copies', '--include', 'mail/db00000[0-2].nsf', '--json'), here());
    const { directory } = document(made.stdout) as { directory: string };
    await domino.simulation.set({ SIM_LATENCY_NSFTakeDatabaseOffline_US: 250_000 });
    const { code, stdout } = await startOnTerminal(['restore', directory, ...location]).ended;
    await domino.simulation.set({ SIM_LATENCY_NSFTakeDatabaseOffline_US: null });
    expect(code).toBe(0);
    expect(stdout).toMatch(/replacing databases +█+░+ [12]\/3 mail\/db00000[12]\.nsf/);
    expect(stdout).toMatch(/recovering from the log +░+ 0\/3/);
    expect(stdout).toContain('restored 3 databases of');
  });

  test('NO_COLOR takes the colours away, --json the bar too', async () => {
    const plain = await startOnTerminal(backupArguments(), { NO_COLOR: '1' }).ended;
    expect(plain.code).toBe(0);
    expect(plain.stdout).toMatch(/^backup +\S+ complete\r$/m);
    expect(plain.stdout).not.toContain(`${escape}[3`);
    const json = await startOnTerminal(backupArguments('--json')).ended;
    expect(json.stdout).not.toContain(escape);
    expect(document(json.stdout)).toMatchObject({ outcome: 'complete' });
  });

  /** Whether the cursor is shown after all that was drawn: it had been hidden. */
  function expectCursor(stdout: string): void {
    const hidden = stdout.lastIndexOf(`${escape}[?25l`);
    expect(hidden).toBeGreaterThan(-1);
    expect(stdout.lastIndexOf(`${escape}[?25h`)).toBeGreaterThan(hidden);
  }

  test('Ctrl-C is one interrupt, not two', async () => {
    await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: 250_000 });
    const terminal = startOnTerminal(backupArguments('--shards', '1'));
    await until('the bar shows the window', () => terminal.stdout.includes('making the shadow'));
    // The terminal interrupts all processes of its session; the working process gets the signal from the one that started it.
    const working = (await domino.simulation.stats()).processes.find(({ role }) => role === 'api');
    expect(sessionOf(working?.pid ?? 0)).toBe(working?.pid);
    terminal.child.stdin?.write('\x03');
    const { code, stdout } = await terminal.ended;
    expect(code).toBe(130);
    expect(stdout.match(/SIGINT: stopping and rolling back/g)).toHaveLength(1);
    expect(stdout).toContain('interrupted');
    expect(stdout).not.toContain('ended with an open backup');
    expectCursor(stdout);
    await expectNothingLeft();
  });

  test('a second Ctrl-C ends it at once, and shows the cursor again', async () => {
    await domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: 1_500_000 });
    const terminal = startOnTerminal(backupArguments('--shards', '2'));
    await until('the bar shows the window', () => terminal.stdout.includes('making the shadow'));
    terminal.child.stdin?.write('\x03');
    await until('the first interrupt is noticed', () => terminal.stdout.includes('interrupt again to end at once'));
    terminal.child.stdin?.write('\x03');
    const { code, stdout } = await terminal.ended;
    expect(code).toBe(130);
    expect(stdout).toContain('ended with an open backup');
    expectCursor(stdout);
    await expectNothingLeft();
  });
});

// Windows has no signals between processes: `kill` ends the process at once.
linuxDescribe('an interrupt', () => {
  const taking = 'stopping and rolling back what was begun (interrupt again to end at once)';

  beforeEach(() => {
    mkdirSync(inHome('backup', '.journal'), { recursive: true });
  });

  afterEach(async () => {
    await setLatency(null);
    await domino.simulation.clearFaults();
    await domino.simulation.restartServerState();
    rmSync(inHome('backup'), { recursive: true });
  });

  function setLatency(microseconds: Settings[string]): Promise<void> {
    return domino.simulation.set({ SIM_LATENCY_NSFBackupStart_US: microseconds });
  }

  /** Waits until the window has begun. */
  async function inWindow(): Promise<void> {
    const before = (await domino.simulation.stats()).calls['NSFBackupStart'] ?? 0;
    await until('a database goes into backup mode', async () => {
      return ((await domino.simulation.stats()).calls['NSFBackupStart'] ?? 0) > before;
    });
  }

  /** Starts a backup whose window lasts some seconds, and returns during the window. */
  async function startSlowly(args: readonly string[], latencyMs = 250): Promise<RunningProcess> {
    await setLatency(latencyMs * 1000);
    const reached = inWindow();
    const backup = start(args, here());
    await reached;
    return backup;
  }

  test('once: everything is taken back, and it says so; meanwhile others find the directory locked', async () => {
    const backup = await startSlowly(backupArguments('--shards', '1'));
    const second = await run(backupArguments(), here());
    expect(second).toMatchObject({ code: 5, stdout: '' });
    expect(firstLine(second.stderr)).toMatch(/^failed ERR_LOCKED: backup \S+ of \S+ is running \(process \d+\)$/);

    backup.interrupt();
    const { code, signal, stdout, stderr } = await backup.ended;
    expect({ code, signal, stdout }).toEqual({ code: 130, signal: null, stdout: '' });
    expect(stderr).toBe(`\nSIGINT: ${taking}\ninterrupted: what was begun has been rolled back\n`);
    await expectNothingLeft();
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)('by %s is one as well, and with --json a document', async (signal) => {
    const backup = await startSlowly(backupArguments('--shards', '1', '--json'));
    backup.interrupt(signal);
    const { code, stdout } = await backup.ended;
    expect(code).toBe(130);
    expect(document(stdout)).toMatchObject({ error: { code: 'ERR_ABORTED' } });
    await expectNothingLeft();
  });

  test('twice: it ends at once, and no database stays in backup mode', async () => {
    const backup = await startSlowly(backupArguments('--shards', '2'), 1500);
    backup.interrupt();
    await until('the first interrupt is noticed', () => backup.stderr.includes(taking));
    backup.interrupt();
    const { code, signal, stdout, stderr } = await backup.ended;
    expect({ code, signal, stdout }).toEqual({ code: 130, signal: null, stdout: '' });
    expect(stderr).toMatch(/domino-vss: ended with an open backup \(\S+\); it was aborted and its databases taken out/);
    expect(stderr).not.toContain('has been rolled back');
    await expectNothingLeft();
  });

  test('of the process that the user started, by force: the second process takes everything back', async () => {
    const backup = await startSlowly(backupArguments('--shards', '1'));
    backup.interrupt('SIGKILL');
    const { signal, stderr } = await backup.ended; // its output stays open until the second process has ended
    expect(signal).toBe('SIGKILL');
    expect(stderr).toContain(`the process that started this one is gone: ${taking}`);
    await expectNothingLeft();
  });

  test('of a restore leaves every database as it was', async () => {
    const files = domino.simulation.databases().map(inData);
    const made = await run(backupArguments('--to', 'copies', '--json'), here());
    const { directory } = document(made.stdout) as { directory: string };
    await domino.simulation.set({ SIM_LATENCY_NSFTakeDatabaseOffline_US: 300_000 });
    await server.pause();
    const before = files.map((file) => readFileSync(file));
    const offline = (await domino.simulation.stats()).offlineDatabases;
    const restoring = start(['restore', directory, ...location], here());
    await until('two databases are away', async () => {
      return (await domino.simulation.stats()).offlineDatabases >= offline + 2;
    });
    restoring.interrupt();
    const { code, stdout, stderr } = await restoring.ended;
    await domino.simulation.set({ SIM_LATENCY_NSFTakeDatabaseOffline_US: null });
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(/interrupted: what was begun has been rolled back\n$/);
    expect(files.map((file) => readFileSync(file).equals(before[files.indexOf(file)]!))).toEqual(files.map(() => true));
    expect(readdirSync(inData('mail')).filter((name) => name.includes('domino-vss'))).toEqual([]);
    expect((await domino.simulation.stats()).offlineDatabases).toBe(offline);
    expect(readdirSync(inHome('backup', '.journal'))).toEqual([]);
    await server.resume();
    await domino.expectQuiet();
  });

  // The last test, because a handle stays open.
  test('while a call hangs: it does not say that all is well', async () => {
    await domino.simulation.fault(`NSFBackupStop:1@${victim}=hang`);
    const backup = start(backupArguments('--timeout', '2'), here());
    await until('the call hangs', async () => (await domino.simulation.stats()).faults[0]?.fired === 1);
    backup.interrupt();
    const { code, stdout, stderr } = await backup.ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toContain(`interrupted: not everything could be rolled back: ${victim} may still be in backup mode`);
    expect(stderr).toContain(
      `\nwarning ERR_DATABASE_STUCK: a failed backup left something behind: ${victim} may still be in backup mode`,
    );
    expect(stderr).not.toContain('has been rolled back');
    const [journal = ''] = readdirSync(inHome('backup', '.journal'));
    expect(readFileSync(inHome('backup', '.journal', journal), 'utf8')).toContain(victim);
    expect((await domino.simulation.stats()).inBackup).toMatchObject([{ file: inData(victim) }]);
  });
});
