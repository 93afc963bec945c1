// The commands of scripts that need more of a machine than the two scripts of the migration page: each script is a separate process.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOn, type CommandEnded } from './command';
import { Machine, type VssCall, type VssSettings } from './machine';

const machine = new Machine();
const data = machine.homes[1];
const file = join(data, 'file.txt');
const metadata = join(machine.deltaDirectory, 'set.cab');
let scripts = 0;

beforeAll(() => {
  mkdirSync(machine.deltaDirectory);
});

beforeEach(() => {
  machine.forgetCalls();
  writeFileSync(file, 'before');
});

afterEach(async () => {
  // Most of the time is for starting a process.
  if (machine.shadows().length > 0) await script(['delete shadows all']);
  machine.expectNoLeaks();
});

afterAll(() => {
  machine[Symbol.dispose]();
});

async function script(
  lines: readonly string[],
  { settings = {}, args = [] }: { settings?: VssSettings; args?: readonly string[] } = {},
): Promise<CommandEnded> {
  scripts += 1;
  const path = join(machine.deltaDirectory, `script-${scripts}.txt`);
  writeFileSync(path, lines.join('\r\n'));
  return commandOn(machine, settings)('script', path, ...args);
}

/** The same; it must succeed. Returns its output. */
async function good(lines: readonly string[], settings: VssSettings = {}): Promise<string> {
  const { code, stdout, stderr } = await script(lines, { settings });
  expect({ code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', stdout: '' });
  return stdout;
}

/** The calls to VSS, without interface names. */
function methods(which: (call: VssCall) => boolean = () => true): string[] {
  return machine
    .calls()
    .filter(which)
    .map(({ method }) => method.replace(/^\w+::/, ''));
}

/** The components of the writers lie on C:, which some add before. */
const create = (...before: readonly string[]): readonly string[] => [
  ...before,
  `set metadata ${metadata}`,
  'add volume d: alias data',
  'create',
];

describe('metadata in another process', () => {
  test('give the aliases back, by which a shadow is exposed and deleted', async () => {
    await good([
      ...create('set context persistent nowriters'),
      'add alias other {11111111-2222-3333-4444-555555555555}',
    ]);
    writeFileSync(file, 'after');
    const said = await good([`load metadata ${metadata}`, 'expose %data% q:', 'list shadows set %VSS_SHADOW_SET%']);
    expect(said).toContain('%data%');
    expect(said).toContain('Exposed locally as Q:');
    expect(readFileSync(`Q:${file.slice(2)}`, 'utf8')).toBe('before');
    await good([`load metadata ${metadata}`, 'unexpose q:', 'delete shadows id %data%']);
    expect(machine.shadows()).toEqual([]);
    // Aliases that were defined after the metadata are unknown.
    const unknown = await script([`load metadata ${metadata}`, 'delete shadows id %other%']);
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.stdout + unknown.stderr).toContain('%other% is not defined');
  });

  test('begin and end a restore, of which the writers are told', async () => {
    await good([...create('set context persistent', 'add volume c:'), 'delete shadows all']);
    const selected = methods().filter((method) => method === 'AddComponent').length;
    expect(selected).toBeGreaterThan(0);

    machine.forgetCalls();
    const simulated = await good([`load metadata ${metadata}`, 'simulate restore']);
    expect(simulated).toContain('SqlServerWriter');
    expect(methods()).toContain('InitializeForRestore');
    expect(methods().filter((method) => /^P(re|ost)Restore/.test(method))).toEqual([]);

    machine.forgetCalls();
    await good([`load metadata ${metadata}`, 'begin restore', 'end restore']);
    const told = methods().filter((method) => /^(SetSelectedForRestore|P(re|ost)Restore\.async)$/.test(method));
    expect(told).toEqual([
      ...new Array<string>(selected).fill('SetSelectedForRestore'),
      'PreRestore.async',
      'PostRestore.async',
    ]);
  });

  test('a writer that fails before the restore ends the script', async () => {
    await good([...create('set context persistent', 'add volume c:'), 'delete shadows all']);
    machine.forgetCalls();
    const settings = { 'writer.sql.fault.PreRestore': 'nonretryable' };
    const { code, stdout, stderr } = await script([`load metadata ${metadata}`, 'begin restore', 'end restore'], {
      settings,
    });
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/SqlServerWriter[^]*0x800423F4|0x800423F4[^]*SqlServerWriter/);
    // The writers are told that nothing was restored, and only then that the restore is over.
    const told = methods().filter((method) => /^(SetFileRestoreStatus|P(re|ost)Restore\.async)$/.test(method));
    expect([told.at(0), told.at(1), told.at(-1)]).toEqual([
      'PreRestore.async',
      'SetFileRestoreStatus',
      'PostRestore.async',
    ]);
  });
});

describe('a transportable set of a hardware provider', () => {
  const settings = { hardware_provider: 1 };
  let device = '';

  /** Made by one process and imported by another. */
  beforeEach(async () => {
    const made = await good([...create('set context persistent nowriters', 'set option transportable')], settings);
    expect(made).toContain('%data%');
    expect(machine.shadows()).toHaveLength(1);
    expect(await good(['list shadows all'], settings)).toContain('Number of shadow copies listed: 0');
    writeFileSync(file, 'after');

    const imported = await good([`load metadata ${metadata}`, 'import'], settings);
    expect(imported).toContain('Imported shadow copies');
    expect(imported).toContain('%data%');
    device = /device name: (\S+)/.exec(imported)?.[1] ?? '';
    expect(readFileSync(`${device}\\${file.slice(3)}`, 'utf8')).toBe('before');
    machine.forgetCalls();
  });

  test.each([
    ['break', 'BreakSnapshotSet', true],
    ['break writable', 'BreakSnapshotSetEx.async', true],
    ['mask', 'BreakSnapshotSetEx.async', false],
  ])('%s', async (command, method, isThere) => {
    await good([`load metadata ${metadata}`, `${command} %VSS_SHADOW_SET%`], settings);
    expect(methods()).toContain(method);
    // The former shadow is a volume.
    expect(machine.shadows()).toEqual([]);
    expect(existsSync(`${device}\\${file.slice(3)}`)).toBe(isThere);
    const again = await script([`load metadata ${metadata}`, `${command} %VSS_SHADOW_SET%`], { settings });
    expect(again.code).toBe(1);
    expect(again.stdout + again.stderr).toContain('VSS_E_OBJECT_NOT_FOUND');
  });

  test('is not imported twice', async () => {
    const again = await script([`load metadata ${metadata}`, 'import'], { settings });
    expect(again.code).toBe(1);
    expect(again.stdout + again.stderr).toContain('VSS_E_NO_SNAPSHOTS_IMPORTED');
  });
});

test('a volatile transportable set outlives its script, and no import', async () => {
  const settings = { hardware_provider: 1 };
  await good([...create('set context volatile nowriters', 'set option transportable')], settings);
  expect(machine.shadows()).toHaveLength(1);
  expect(await good([`load metadata ${metadata}`, 'import'], settings)).toContain('was volatile and no longer exists');
  expect(machine.shadows()).toEqual([]);
});

describe('revert', () => {
  test('reverts a volume', async () => {
    await good([...create('set context persistent nowriters')]);
    writeFileSync(file, 'after');
    expect(await good([`load metadata ${metadata}`, 'revert %data%'])).toMatch(/reverted|set back/);
    expect(readFileSync(file, 'utf8')).toBe('before');
    expect(methods()).toContain('RevertToSnapshot');
  });

  test.each([
    ['manifests of earlier scripts', 'c:', 'with every backup and journal'],
    ['metadata of the script', 'd:', 'the metadata in'],
  ])('is refused for the volume with the %s, before VSS is asked', async (_what, volume, reason) => {
    const besideData = join(data, 'set.cab');
    const made = await good([
      'set context persistent nowriters',
      `set metadata ${besideData}`,
      `add volume ${volume}`,
      'create',
    ]);
    const id = /Shadow copy ID = (\S+)/.exec(made)?.[1] ?? '';
    const refused = await script([`load metadata ${besideData}`, `revert ${id}`]);
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.stderr).toContain(reason);
    expect(methods()).not.toContain('RevertToSnapshot');
  });
});

describe('writers', () => {
  test('that must take part, and do', async () => {
    const said = await good([
      ...create(
        'set context volatile',
        'set verbose on',
        'writer verify System Writer',
        'writer verify SqlServerWriter:\\SERVER\\sales',
        'writer exclude {afbab4a2-367d-4d15-a586-71dbb18f8485}',
        'add volume c:',
      ),
    ]);
    expect(said).toContain('writer "System Writer" takes part');
    expect(said).toContain('writer "Registry Writer" is left out: asked');
    expect(methods()).toContain('DisableWriterClasses');
  });

  test('that must take part, and do not, fail create before a set is opened', async () => {
    const failed = await script([...create('set context volatile', 'writer verify Exchange Writer')]);
    expect(failed.code).toBe(1);
    expect(failed.stdout + failed.stderr).toContain('Exchange Writer');
    expect(methods()).not.toContain('StartSnapshotSet');
  });

  test('are told of the success of a set that the script has deleted itself', async () => {
    for (const context of ['persistent', 'volatile']) {
      machine.forgetCalls();
      await good([
        'begin backup',
        ...create(`set context ${context}`, 'add volume c:'),
        'delete shadows all',
        'end backup',
      ]);
      const told = methods().filter((method) =>
        /^(BackupComplete\.async|AbortBackup|SetBackupSucceeded)$/.test(method),
      );
      expect([...new Set(told)]).toEqual(['SetBackupSucceeded', 'BackupComplete.async']);
      expect(machine.shadows()).toEqual([]);
    }
  });

  test('are told nothing of a volatile set that nobody has called complete', async () => {
    await good(['begin backup', ...create('set context volatile'), 'delete shadows all']);
    expect(methods()).not.toContain('BackupComplete');
  });
});

test('lists', async () => {
  const settings = { hardware_provider: 1, 'volume.D.hardware': 0 };
  await good([...create('set context persistent nowriters')], settings);
  const shadows = await good(['list shadows all'], settings);
  expect(shadows).toContain('Number of shadow copies listed: 1');
  expect(shadows).toContain('[D:\\]');
  expect(shadows).toContain('No_Auto_Release Persistent No_Writers Differential');

  const providers = await good(['list providers'], settings);
  expect(providers).toContain('Microsoft Software Shadow Copy provider 1.0');
  expect(providers).toContain('Stand-in hardware provider');

  machine.forgetCalls();
  const brief = await good(['list writers metadata']);
  const detailed = await good(['list writers detailed']);
  const status = await good(['list writers status'], { 'writer.sql.fault.Identify': 'nonretryable' });
  for (const said of [brief, detailed]) expect(said).toContain('Number of writers listed: 6');
  expect(status).toContain('Number of writers listed: 5'); // who does not respond is not running
  expect(brief).toContain('SqlServerWriter');
  expect(detailed.length).toBeGreaterThan(brief.length);
  expect(status).toContain('stable');
  expect(methods().filter((method) => method === 'GatherWriterStatus')).toHaveLength(1);
});
