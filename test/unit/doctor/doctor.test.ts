import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCapabilities } from '#lib/doctor/capabilities';
import { runDoctor } from '#lib/doctor/doctor';
import { checkShadowStorage } from '#lib/doctor/shadow-storage';
import type { DoctorCheck, DoctorOptions } from '#lib/doctor/check';
import { toPublicError } from '#lib/errors/errors';
import { recoverInterrupted } from '#lib/recover/recover';
import { ownIdentity } from '#lib/store/process-identity';
import { linuxTest } from '../../platform';
import { fail, failure, FakeDomino } from '../fake-binding';
import { comFailure } from '../fake-vss';

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

async function examine(
  options: DoctorOptions = {},
): Promise<{ outcome: string; check: (name: string) => DoctorCheck }> {
  const { outcome, checks } = await runDoctor(() => domino.binding, { domino: domino.location, ...options });
  const check = (name: string): DoctorCheck => {
    const found = checks.find((candidate) => candidate.name === name);
    if (!found) throw new Error(`there is no check ${name}`);
    return found;
  };
  return { outcome, check };
}

test('every check has a finding, and what is well needs no help', async () => {
  mkdirSync(join(domino.dataDirectory, 'DAOS'));
  const { check } = await examine({ deltaDirectory: domino.deltaDirectory, canary: true });
  for (const name of ['addon', 'notes.ini', 'library', 'transaction log', 'databases', 'canary']) {
    expect(check(name)).toMatchObject({ name, status: 'ok' });
  }
  expect(check('file system')).toMatchObject({ status: 'ok', found: expect.stringContaining('provider reflink') });
  expect(check('delta directory')).toMatchObject({
    status: 'warning',
    code: 'WARN_DELTA_VOLUME',
    found: expect.stringContaining('on a volume'),
  });
  expect(check('DAOS')).toMatchObject({ status: 'ok', advice: expect.stringContaining('after the databases') });
  expect(check('backup time limit')).toMatchObject({ found: '15 minutes (the default of Domino)' });
});

linuxTest('the environment of this process is judged', async () => {
  const { outcome, check } = await examine();
  expect(check('environment')).toMatchObject({
    status: 'failed',
    found: expect.stringContaining('LD_LIBRARY_PATH'),
    advice: expect.stringContaining(`LD_LIBRARY_PATH=${domino.programDirectory}`),
  });
  expect(outcome).toBe('failed');
});

test('a missing installation fails its checks and skips what needs it', async () => {
  const location = { programDirectory: '/nowhere', notesIni: '/nowhere/notes.ini' };
  const { outcome, check } = await examine({ domino: location });
  expect(outcome).toBe('failed');
  expect(check('notes.ini')).toMatchObject({
    status: 'failed',
    code: 'ERR_DOMINO_NOTES_INI',
  });
  // Each failure is told once. Windows has no check of the environment.
  const codes = (process.platform === 'win32' ? ['library'] : ['environment', 'library'])
    .map((name) => check(name).code)
    .filter((code) => code === 'ERR_DOMINO_LIBRARY');
  expect(codes).toHaveLength(1);
  for (const name of ['transaction log', 'databases', 'file system', 'DAOS']) {
    expect(check(name).status).toBe('skipped');
  }
});

test('an addon that does not load is a finding', async () => {
  const { checks } = await runDoctor(
    () => {
      throw toPublicError(failure({ code: 'ERR_NATIVE_LOAD', text: 'no binary' }));
    },
    { domino: domino.location },
  );
  expect(checks[0]).toMatchObject({
    name: 'addon',
    status: 'failed',
    advice: expect.stringContaining('DOMINO_VSS_ADDON'),
  });
});

test('a canary whose write is not recorded is a failure', async () => {
  domino.binding.runCanary = ({ database }) => Promise.resolve({ recorded: false, changeInfoBytes: 0, database });
  const { outcome, check } = await examine({ canary: true });
  expect(check('canary')).toMatchObject({ status: 'failed', found: expect.stringContaining('NOT recorded') });
  expect(outcome).toBe('failed');
});

test('a canary whose server does not answer points at the environment', async () => {
  domino.binding.runCanary = async () => fail({ operation: 'NSFDbCreate', domain: 'domino', status: 0x0807 });
  const { check } = await examine({ canary: true });
  expect(check('canary')).toMatchObject({ status: 'failed', found: expect.stringContaining('environment of its own') });
});

test('the canary is run only when asked for, in a database of its own', async () => {
  const { check } = await examine();
  expect(check('canary').status).toBe('skipped');
  expect(domino.calls).not.toContain('runCanary');
  let name = '';
  domino.binding.runCanary = ({ database }) => {
    name = database;
    return Promise.resolve({ recorded: true, changeInfoBytes: 1, database });
  };
  await examine({ canary: true });
  expect(name).toMatch(/^domino-vss-canary-\d+-\w*-[0-9a-f]{8}\.nsf$/);
});

test.each(['doctor', 'recover'])(
  'the databases of canaries whose process has died are removed by %s',
  async (command) => {
    const { pid, processStart } = ownIdentity();
    const [dead, live, foreign] = [
      `domino-vss-canary-${pid}-${processStart}0-01234567.nsf`,
      `domino-vss-canary-${pid}-${processStart}-01234567.nsf`,
      'domino-vss-canary-of-the-boss.nsf',
    ];
    for (const name of [dead, live, foreign]) writeFileSync(join(domino.dataDirectory, name), '');
    domino.binding.runCanary = ({ database }) => Promise.resolve({ recorded: true, changeInfoBytes: 1, database });
    const isThere = (): boolean[] => [dead, live, foreign].map((name) => existsSync(join(domino.dataDirectory, name)));
    if (command === 'doctor') {
      await examine({});
      expect(isThere()).toEqual([true, true, true]);
      await examine({ canary: true });
    } else {
      const options = { domino: domino.location };
      await recoverInterrupted(() => domino.binding, { ...options, dryRun: true });
      expect(isThere()).toEqual([true, true, true]);
      await recoverInterrupted(() => domino.binding, options);
    }
    expect(isThere()).toEqual([false, true, true]);
  },
);

test('transaction logging that is off, and a file system without snapshots, are warnings', async () => {
  domino.binding.transactionLogStyle = () => Promise.resolve('none');
  domino.reflink = false;
  const { check } = await examine();
  expect(check('transaction log').status).toBe('warning');
  expect(check('file system')).toMatchObject({ status: 'warning', found: expect.stringContaining('rolling') });
});

linuxTest('descriptors are counted: one a database, and some more', async () => {
  expect((await examine()).check('descriptors').found).toMatch(/^\d+ allowed, about 260 needed$/);
});

linuxTest('too few descriptors fail', () => {
  const script = `
    const { FakeDomino } = require('./build/test/unit/fake-binding.js');
    const { runDoctor } = require('./dist/doctor/doctor.js');
    const domino = new FakeDomino();
    runDoctor(() => domino.binding, { domino: domino.location }).then(({ checks }) => {
      domino.destroy();
      console.log(JSON.stringify(checks.find(({ name }) => name === 'descriptors')));
    });`;
  const cwd = join(__dirname, '../../../..');
  const text = execFileSync('sh', ['-c', 'ulimit -n 200; exec "$0" -e "$1"', process.execPath, script], { cwd });
  expect(JSON.parse(text.toString())).toMatchObject({
    status: 'failed',
    found: '200 allowed, about 260 needed',
    advice: expect.stringContaining('ulimit -n 260'),
  });
});

test('what earlier processes have left is a warning, and DAOS that is not mounted too', async () => {
  mkdirSync(join(domino.deltaDirectory, '.journal'), { recursive: true });
  const { check } = await examine({ deltaDirectory: domino.deltaDirectory });
  expect(check('left over')).toMatchObject({ status: 'ok', found: 'nothing' });
  expect(check('DAOS').status).toBe('warning');
});

test('a data directory that is gone is found', async () => {
  writeFileSync(domino.notesIni, 'Directory=/nowhere/at/all\n');
  expect((await examine()).check('notes.ini')).toMatchObject({ status: 'failed', advice: 'Mount it.' });
});

test('an abort ends the examination', async () => {
  const controller = new AbortController();
  domino.onCall = () => {
    controller.abort();
  };
  await expect(examine({ signal: controller.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});

describe('getCapabilities', () => {
  linuxTest('probes the file system of a directory', async () => {
    const { native, providers } = await getCapabilities(() => domino.binding, { directory: domino.root });
    expect(native).toBe(true);
    expect(providers).toEqual([
      { name: 'vss', supported: false, reasons: ['the Volume Shadow Copy Service exists on Windows only'] },
      { name: 'btrfs', supported: false, reasons: [expect.stringContaining('not a btrfs subvolume')] },
      { name: 'reflink', supported: true, reasons: [] },
      { name: 'rolling', supported: true, reasons: [] },
      { name: 'hook', supported: true, reasons: [] },
    ]);
  });

  test('asks Windows whether this process may use VSS, and passes on every reason with its advice', async () => {
    const vss = domino.haveVss();
    const find = async (): Promise<unknown> =>
      (await getCapabilities(() => domino.binding)).providers.find(({ name }) => name === 'vss');
    expect(await find()).toEqual({ name: 'vss', supported: true, reasons: [] });
    vss.reasons = [comFailure(0x80070005, { text: 'the process is not elevated' }), comFailure(0x80070422)];
    expect(await find()).toMatchObject({
      supported: false,
      reasons: [expect.stringMatching(/not elevated.*Run as administrator/), expect.stringContaining('not disabled')],
    });
  });

  test('says why nothing is possible without the addon, and does not fail', async () => {
    const { native, providers } = await getCapabilities(() => {
      throw new Error('no binary');
    });
    expect(native).toBe(false);
    expect(providers.every(({ supported, reasons }) => !supported && reasons[0] === 'no binary')).toBe(true);
  });
});

describe('shadow storage', () => {
  const call = { race: <T>(work: Promise<T>): Promise<T> => work };

  test('is asked for each volume, and what is short is told with what to do', async () => {
    const vss = domino.haveVss();
    const check = (): Promise<unknown> => checkShadowStorage({ vss: vss.native, volumes: ['C:\\', 'E:\\'], call });
    expect(await check()).toEqual({
      status: 'ok',
      code: '',
      found: 'there is room for a shadow of C:\\, E:\\',
      advice: '',
    });
    vss.storageWarnings = [' has 12 MB free'];
    expect(await check()).toMatchObject({
      status: 'warning',
      code: 'WARN_SHADOW_STORAGE',
      found: 'C:\\ has 12 MB free; E:\\ has 12 MB free',
      advice: expect.stringContaining('vssadmin resize shadowstorage') as string,
    });
  });
});

describe('what notes.ini says of the server', () => {
  const add = (...lines: readonly string[]): void => {
    appendFileSync(domino.location.notesIni, `${lines.join('\n')}\n`);
  };

  test('its own backups are a warning each', async () => {
    expect((await examine()).check('server tasks')).toMatchObject({ status: 'ok' });
    add('ServerTasks=Replica,Router,HTTP,BackupVSS -d,Backup');
    const { check } = await examine();
    expect(check('server tasks')).toMatchObject({
      status: 'warning',
      code: 'WARN_SERVER_TASKS',
      found: 'ServerTasks loads backup and backupvss',
      advice: expect.stringMatching(/0x0EA4.*"none"/) as string,
    });
  });

  test('a task whose name only begins like one is none', async () => {
    add('ServerTasks=backupcheck,mybackup');
    expect((await examine()).check('server tasks')).toMatchObject({ status: 'ok' });
  });

  test('compacting is named with its hours, and what it does to backups', async () => {
    expect((await examine()).check('maintenance')).toMatchObject({ found: expect.stringMatching(/^none/) as string });
    add('ServerTasksAt2=Catalog,Compact -c,Updall', 'ServerTasksAt14=dbmt -threads 4');
    expect((await examine()).check('maintenance')).toMatchObject({
      status: 'ok',
      found: expect.stringMatching(/^02:00 compact -c, updall; 14:00 dbmt -threads 4; program documents/) as string,
      advice: expect.stringMatching(/0x13AA.*instance id.*"show schedule"/) as string,
    });
  });

  test('what is compacted at each start of the server is told, and where to look for the rest', async () => {
    expect((await examine()).check('maintenance').advice).toMatch(/"show schedule"/);
    add('ServerTasks=Replica,DBMT -compactThreads 4,Router', 'ServerTasksAt24=compact');
    expect((await examine()).check('maintenance').found).toMatch(
      /^at the start of the server dbmt -compactthreads 4; program documents/,
    );
  });

  test.each([
    ['', '', /^15 minutes \(the default/, /BACKUP_TIMEOUT=<minutes>/],
    ['BACKUP_TIMEOUT=60', '', /^60 minutes/, /BACKUP_TIMEOUT=<minutes>/],
    ['BACKUP_TIMEOUT=3', 'WARN_TIME_LIMIT_SHORT', /^3 minutes/, /--window-timeout.*--max-hold/],
    ['BACKUP_TIMEOUT=an hour', 'WARN_SETTING_INVALID', /^BACKUP_TIMEOUT=an hour is not a number/, /remove it/],
    ['BACKUP_TIMEOUT=0', 'WARN_SETTING_INVALID', /is not a number of minutes$/, /remove it/],
    ['BACKUP_NO_TIMEOUT=1', '', /^none/, /domino-vss recover/],
  ])('the time after which Domino ends a backup: %s', async (line, code, found, advice) => {
    add(line);
    const check = (await examine()).check('backup time limit');
    expect(check).toMatchObject({ status: code === '' ? 'ok' : 'warning', code });
    expect(check.found).toMatch(found);
    expect(check.advice).toMatch(advice);
  });

  test('where change information is kept', async () => {
    expect((await examine()).check('backup memory')).toMatchObject({
      found: expect.stringContaining('in memory') as string,
    });
    add('NSF_Backup_Memory_Constrained=1', 'NSF_Backup_Memory_Limit=4000000');
    expect((await examine()).check('backup memory')).toMatchObject({
      found: 'change information goes to temporary files beyond 4000000 bytes',
      advice: expect.stringContaining('Keep space free') as string,
    });
    add('NSF_Backup_Memory_Limit=4 MB');
    expect((await examine()).check('backup memory')).toMatchObject({
      status: 'warning',
      code: 'WARN_SETTING_INVALID',
      found: 'NSF_Backup_Memory_Limit=4 MB is not a number of bytes',
    });
    add('NSF_Backup_Memory_Constrained=0');
    expect((await examine()).check('backup memory').found).toMatch(/has an effect only with/);
  });

  test('whether DAOS lies on a volume of the databases', async () => {
    mkdirSync(join(domino.dataDirectory, 'DAOS'));
    expect((await examine()).check('DAOS').found).toMatch(/on a volume of the databases$/);
  });
});
