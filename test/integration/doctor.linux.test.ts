// `domino-vss doctor` against the stand-in: every check can be ok, and every check can fail and then says what to do.

import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import type { DoctorCheck, DoctorReport, ErrorCode } from '#lib/index';
import {
  locationFlags,
  mainScript,
  repository,
  run,
  RunningProcess,
  start,
  until,
  type Ended,
  type ProcessOptions,
} from './command-line';
import type { Ends } from './doctor-program';
import { memoryDirectory } from '../platform';
import { ReadableCopy } from './readable-copy';
import { SimulatedDomino } from './simulated-domino';

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? test : test.skip;

let domino: SimulatedDomino;
let server: Server;
/** In memory: on a different volume from the databases, where neither snapshots nor clones are possible. */
let elsewhere: string;
/** Tests that run as another user. */
let copy: ReadableCopy;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 3, plainNames: true });
  server = await domino.serve({ paused: true });
  elsewhere = mkdtempSync(join(memoryDirectory, 'domino-vss-doctor-'));
  copy = new ReadableCopy();
});

afterEach(async () => {
  await domino.simulation.clearFaults();
  await domino.expectQuiet();
});

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
  rmSync(elsewhere, { recursive: true });
  copy[Symbol.dispose]();
});

interface Examined {
  readonly code: number | null;
  readonly outcome: DoctorReport['outcome'];
  readonly checks: ReadonlyMap<string, DoctorCheck>;
}

function examined({ code, signal, stdout, stderr }: Ended): Examined {
  expect({ signal, stderr }).toEqual({ signal: null, stderr: '' });
  const { outcome, checks } = JSON.parse(stdout) as DoctorReport;
  return { code, outcome, checks: new Map(checks.map((check) => [check.name, check])) };
}

/** Runs the doctor on the simulated Domino, or on the one that `args` name. */
async function examine(args: readonly string[] = [], options: ProcessOptions = {}, of = domino): Promise<Examined> {
  return examined(await run(['doctor', '--json', ...locationFlags(of), ...args], options));
}

/** Checks that one check failed, with these words and this advice, and that the doctor therefore ended with 4. */
function expectFailed(
  { code, outcome, checks }: Examined,
  name: string,
  why: ErrorCode,
  [found, advice]: readonly [RegExp, RegExp],
): void {
  expect(checks.get(name)).toMatchObject({
    status: 'failed',
    code: why,
    found: expect.stringMatching(found),
    advice: expect.stringMatching(advice),
  });
  expect({ code, outcome }).toEqual({ code: 4, outcome: 'failed' });
}

function statuses({ checks }: Examined): Record<string, string> {
  return Object.fromEntries([...checks.values()].map(({ name, status }) => [name, status]));
}

describe('as the user of the server', () => {
  /** A user who is not root and owns nothing; undefined if this process does not run as root. */
  const ordinaryUser = isRoot ? 65_534 : undefined;
  let home: string;
  let sealed: string;

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'domino-vss-user-'));
    sealed = join(elsewhere, 'sealed');
    mkdirSync(sealed, { mode: 0o555 });
    mkdirSync(join(elsewhere, 'delta'), { recursive: true });
    chmodSync(elsewhere, 0o755);
    if (ordinaryUser !== undefined)
      for (const path of [home, join(elsewhere, 'delta')]) chownSync(path, ordinaryUser, ordinaryUser);
  });

  afterAll(() => {
    rmSync(home, { recursive: true });
  });

  async function examineAll(...runs: readonly (readonly string[])[]): Promise<Ends> {
    const program = copy.of(join(__dirname, 'doctor-program.js'));
    const args = [program, home, ...runs.map((list) => JSON.stringify(list))];
    const { code, stdout, stderr } = await new RunningProcess(copy.node, args, {
      cwd: '/',
      ...(ordinaryUser !== undefined && { uid: ordinaryUser }),
    }).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as Ends;
  }

  test('all is well, canary included, and text and document say so', async () => {
    const good = ['--delta-dir', join(elsewhere, 'delta'), '--provider', 'rolling', '--canary'];
    const [text, json] = await examineAll(good, [...good, '--json']);
    const report = examined(json!);
    expect(statuses(report)).toEqual({
      addon: 'ok',
      'notes.ini': 'ok',
      environment: 'ok',
      library: 'ok',
      user: 'ok',
      'transaction log': 'ok',
      databases: 'ok',
      descriptors: 'ok',
      'file system': 'ok',
      'delta directory': 'ok',
      'left over': 'ok',
      DAOS: 'ok',
      'backup time limit': 'ok',
      'backup memory': 'ok',
      'server tasks': 'ok',
      maintenance: 'ok',
      canary: 'ok',
    });
    expect({ code: report.code, outcome: report.outcome }).toEqual({ code: 0, outcome: 'ok' });
    expect(report.checks.get('canary')?.found).toMatch(/^a write through CN=\S+ was recorded \([1-9]\d* bytes\)$/);
    expect(report.checks.get('databases')?.found).toMatch(/^3 on /);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text!.stdout).toMatch(/^ok {6}user: user \d+, who owns the data directory$/m);
    expect(text!.stdout).toMatch(/\nAll preconditions are met\.\n$/);
  });

  asRoot('directories that this user may not write to fail', async () => {
    const [both, copies] = await examineAll(
      ['--json', '--delta-dir', join(sealed, 'delta'), '--shadow-dir', sealed, '--provider', 'rolling'],
      ['--json', '--provider', 'rolling'],
    );
    const report = examined(both!);
    expectFailed(report, 'delta directory', 'ERR_DELTA_DIRECTORY', [
      /sealed cannot be written to$/,
      /^Choose another directory, or give/,
    ]);
    expectFailed(report, 'file system', 'ERR_SHADOW_DIRECTORY', [
      /provider rolling .*sealed cannot be written to$/,
      /name it as shadowDirectory/,
    ]);
    // Copies are in the delta directory then, so the root of the databases' volume need not be writable.
    expect(examined(copies!).checks.get('file system')?.status).toBe('ok');
  });
});

describe('what is not met fails, with advice', () => {
  asRoot('root, where Domino refuses it', async () => {
    const report = await examine([], { env: { SIM_ALLOW_ROOT: '0' } });
    expectFailed(report, 'library', 'ERR_DOMINO_USER', [/0x01ED/, /^Run as the user that the Domino server runs as/]);
    expectFailed(report, 'user', 'ERR_DOMINO_USER', [/^root; the data directory belongs to user 0$/, /never as root/]);
  });

  asRoot('another user than that of the server', async () => {
    const args = [copy.of(mainScript), 'doctor', '--json', ...locationFlags(domino)];
    const examineAsStranger = async (): Promise<Examined> =>
      examined(await new RunningProcess(copy.node, args, { uid: 65_534, cwd: '/' }).ended);
    const words = /notes\.ini \(this user may not look there\)$/;
    expectFailed(await examineAsStranger(), 'notes.ini', 'ERR_DOMINO_NOTES_INI', [words, /--ini/]);
    chmodSync(domino.home, 0o755);
    expectFailed(await examineAsStranger(), 'user', 'ERR_DOMINO_NOT_SHARED', [
      /^user 65534, but the data directory belongs to user 0: .*record nothing$/,
      /run as that user/,
    ]);
  });

  test('an addon that cannot be loaded', async () => {
    const bare = join(domino.home, 'bare');
    cpSync(join(repository, 'dist'), join(bare, 'dist'), { recursive: true });
    for (const name of ['package.json', 'schema'])
      cpSync(join(repository, name), join(bare, name), { recursive: true });
    symlinkSync(join(repository, 'node_modules'), join(bare, 'node_modules'));
    const script = join(bare, 'dist/cli/main.js');
    const report = examined(
      await new RunningProcess(process.execPath, [script, 'doctor', '--json', ...locationFlags(domino)]).ended,
    );
    expectFailed(report, 'addon', 'ERR_NATIVE_LOAD', [/./, /DOMINO_VSS_ADDON/]);
    expect(report.checks.get('library')).toMatchObject({ status: 'skipped', found: 'needs the addon' });
  });

  test('a notes.ini that is missing, names no data directory, or one that is gone', async () => {
    const ini = join(domino.home, 'some.ini');
    const doctor = async (): Promise<Examined> => examine(['--ini', ini]);
    expectFailed(await doctor(), 'notes.ini', 'ERR_DOMINO_NOTES_INI', [/^notes.ini not found; looked for: /, /--ini/]);
    writeFileSync(ini, 'KeyFilename=server.id\n');
    const empty = await doctor();
    expectFailed(empty, 'notes.ini', 'ERR_DOMINO_NOTES_INI', [/has no setting "Directory"/, /--ini/]);
    // Not "a library was not found", which would only be a consequence.
    expectFailed(empty, 'library', 'ERR_DOMINO_NOTES_INI', [/has no setting "Directory"/, /--ini/]);
    writeFileSync(ini, 'Directory=/nowhere/at/all\n');
    expectFailed(await doctor(), 'notes.ini', 'ERR_DOMINO_NOTES_INI', [
      /names the data directory .*, which does not exist$/,
      /^Mount it\.$/,
    ]);
  });

  test('an environment without library path; the rest of it only warns', async () => {
    const script = `
      const { programDirectory, notesIni } = JSON.parse(process.argv[1]);
      require(${JSON.stringify(join(repository, 'dist'))})
        .runDoctor({ domino: { programDirectory, notesIni } })
        .then((report) => console.log(JSON.stringify(report)));`;
    const program = await new RunningProcess(process.execPath, ['-e', script, JSON.stringify(domino.location)]).ended;
    const { checks } = examined(program);
    expect(checks.get('environment')).toMatchObject({
      status: 'failed',
      found: expect.stringContaining('LD_LIBRARY_PATH, Notes_ExecDirectory'),
      advice: expect.stringContaining(`LD_LIBRARY_PATH=${domino.simulation.programDirectory}`),
    });
    expect(checks.get('library')).toMatchObject({
      status: 'failed',
      code: 'ERR_DOMINO_ENVIRONMENT',
    });
    const partly = await examine([], { env: { LD_LIBRARY_PATH: domino.simulation.programDirectory } });
    expect(partly.checks.get('environment')).toMatchObject({
      status: 'warning',
      code: 'WARN_ENVIRONMENT',
      found: expect.stringContaining('missing or wrong: Notes_ExecDirectory'),
    });
    expect(partly.code).toBe(0);
  });

  test('a library that others can replace', async () => {
    const directory = join(domino.home, 'program');
    cpSync(domino.simulation.programDirectory, directory, { recursive: true });
    chmodSync(directory, 0o777);
    const report = await examine(['--program', directory]);
    expectFailed(report, 'library', 'ERR_DOMINO_LIBRARY_UNSAFE', [/ordinary users can write/, /--trust-program/]);
    for (const [args, env] of [
      [['--trust-program'], {}],
      [[], { DOMINO_VSS_TRUST_PROGRAM: 'true' }],
    ] as const) {
      const trusting = await examine(['--program', directory, ...args], { env });
      expect(trusting.checks.get('library')).toMatchObject({
        status: 'warning',
        code: 'WARN_PROGRAM_DIRECTORY_UNCHECKED',
        found: expect.stringContaining('it was not checked who can replace it'),
      });
    }
    expect(report.checks.get('transaction log')).toMatchObject({ status: 'skipped', found: 'needs the library' });
  });

  test('a transaction log that cannot be asked about', async () => {
    await domino.simulation.fault('NSFGetTransLogStyle:1+=0x0117');
    expectFailed(await examine(), 'transaction log', 'ERR_DOMINO_CALL', [/ERR_TERMINATING 0x0117/, /shutting down/]);
  });

  test('a data directory without databases', async () => {
    const other = await SimulatedDomino.create({ databases: 1, plainNames: true });
    try {
      for (const path of other.simulation.databases()) rmSync(join(other.simulation.dataDirectory, path));
      expectFailed(await examine([], {}, other), 'databases', 'ERR_NO_DATABASES', [
        /^0 on /,
        /^Check "Directory" in notes\.ini\.$/,
      ]);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  test('too few descriptors', async () => {
    const command = ['ulimit -n 200; exec "$@"', 'sh', process.execPath, mainScript, 'doctor', '--json'];
    const limited = new RunningProcess('sh', ['-c', ...command, ...locationFlags(domino)]);
    expectFailed(examined(await limited.ended), 'descriptors', 'ERR_OPEN_FILES', [
      /^200 allowed, about 259 needed$/,
      /ulimit -n 259/,
    ]);
  });

  test('a provider that the file system has nothing for', async () => {
    const other = await SimulatedDomino.create({ databases: 1, plainNames: true }, elsewhere);
    try {
      const reflink = await examine(['--provider', 'reflink'], {}, other);
      expectFailed(reflink, 'file system', 'ERR_CLONE_REFUSED', [
        /tmpfs\) cannot clone/,
        /`rolling`, or a file system with/,
      ]);
      const btrfs = await examine(['--provider', 'btrfs'], {}, other);
      expectFailed(btrfs, 'file system', 'ERR_UNSUPPORTED', [
        /tmpfs, not a btrfs subvolume/,
        /^Choose another provider/,
      ]);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });
});

test('what only limits a backup is a warning, and none of it fails', async () => {
  const other = await SimulatedDomino.create({ databases: 20, links: true, log: 'none' }, elsewhere);
  const { notesIni, dataDirectory } = other.simulation;
  writeFileSync(notesIni, '\nDAOSEnable=1\nBACKUP_TIMEOUT=60\n', { flag: 'a' });
  try {
    const doctor = (): Promise<Examined> => examine(['--delta-dir', other.deltaDirectory], {}, other);
    const { code, outcome, checks } = await doctor();
    expect({ code, outcome }).toEqual({ code: 0, outcome: 'warning' });
    const warnings = [
      ['transaction log', 'WARN_NO_TRANSACTION_LOG', /^off$/, /only be restored to their own time/],
      [
        'databases',
        'WARN_LINK_BROKEN',
        /; a link or directory cannot be followed: .*dangling\.nsf: /,
        /^Repair it, remove it, or exclude it/,
      ],
      ['file system', 'WARN_NO_SNAPSHOTS', /^provider rolling: /, /one by one/],
      ['delta directory', 'WARN_DELTA_VOLUME', / free, on a volume with databases$/, /^Choose another volume/],
      ['DAOS', 'WARN_DAOS_MISSING', /DAOS does not exist$/, /DAOSBasePath/],
    ] as const;
    for (const [name, why, found, advice] of warnings) {
      expect(checks.get(name)).toMatchObject({
        status: 'warning',
        code: why,
        found: expect.stringMatching(found),
        advice: expect.stringMatching(advice),
      });
    }
    expect(checks.get('backup time limit')?.found).toBe('60 minutes (BACKUP_TIMEOUT)');

    mkdirSync(join(dataDirectory, 'DAOS'));
    expect((await doctor()).checks.get('DAOS')).toMatchObject({
      status: 'ok',
      found: `${join(dataDirectory, 'DAOS')}, on a volume of the databases`,
      advice: expect.stringContaining('after the databases, never before'),
    });
  } finally {
    await other[Symbol.asyncDispose]();
  }
});

test('what a killed backup has left is found, with the journal that names it', async () => {
  const other = await SimulatedDomino.create({ databases: 3, plainNames: true });
  try {
    await other.simulation.set({ SIM_LATENCY_NSFBackupStart_US: 2_000_000 });
    const delta = ['--delta-dir', other.deltaDirectory, '--provider', 'rolling'];
    const backup = start(['backup', 'run', '--keep-nothing', ...delta, ...locationFlags(other)], {
      env: other.simulation.environment,
      isWatchedHere: true,
    });
    await until('the window begins', async () => 'NSFBackupStart' in (await other.simulation.stats()).calls);
    backup.interrupt('SIGKILL');
    await backup.ended;
    const { code, checks } = await examine(delta, {}, other);
    const [journal = ''] = readdirSync(join(other.deltaDirectory, '.journal'));
    expect(checks.get('left over')).toMatchObject({
      status: 'warning',
      code: 'WARN_WORK_UNFINISHED',
      found: expect.stringMatching(/up to 3 databases may still be in backup mode until the server restarts/),
      advice: `Run: domino-vss recover --delta-dir ${other.deltaDirectory}`,
    });
    expect(checks.get('left over')?.found).toContain(journal);
    expect(code).toBe(0);
  } finally {
    await other[Symbol.asyncDispose]();
  }
});

describe('the canary', () => {
  /** It leaves no database behind on either side. */
  afterEach(() => {
    expect(readdirSync(domino.simulation.dataDirectory).filter((name) => name.includes('canary'))).toEqual([]);
  });

  test('succeeds if this process and the server share their memory', async () => {
    const { checks } = await examine(['--canary']);
    expect(checks.get('canary')).toMatchObject({ status: 'ok', found: expect.stringMatching(/was recorded \([1-9]/) });
  });

  test("fails in an environment that differs from the server's, where backups record nothing", async () => {
    const report = await examine(['--canary'], { env: { SIM_SEPARATE_ENVIRONMENT: '1' } });
    expectFailed(report, 'canary', 'ERR_DOMINO_NOT_SHARED', [
      /^a write through the server was NOT recorded: .*would be inconsistent without any error$/,
      /^Run as the same user, with the same program directory and notes\.ini as the server\.$/,
    ]);
  });

  test('needs a running server', async () => {
    await server.stop();
    const report = await examine(['--canary']);
    server = await domino.serve({ paused: true });
    expectFailed(report, 'canary', 'ERR_DOMINO_NOT_SHARED', [
      /^no server CN=\S+ answers: it is down, or/,
      /^Start the server; /,
    ]);
    expect(existsSync(domino.simulation.notesIni)).toBe(true);
  });
});
