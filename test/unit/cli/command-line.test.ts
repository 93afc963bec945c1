import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command } from 'commander';
import { beginBackup } from '#lib/backup/begin-backup';
import { exitCodes, type CommandLineContext } from '#lib/cli/context';
import { metricsText } from '#lib/cli/metrics';
import { createProgram } from '#lib/cli/program';
import { errorCodes } from '#lib/errors/codes';
import { alreadyInProgress, fail, FakeDomino } from '../fake-binding';
import { location as ofServer, run as runIn, type Run } from './run';
import { comFailure, FakeVssSession, nativeShadow, nativeWriter, setId, shadowId, type FakeVss } from '../fake-vss';

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

const location = (): readonly string[] => ofServer;
const run = (args: readonly string[], change?: Partial<CommandLineContext>): Promise<Run> =>
  runIn(domino, args, change);
const keepsSomething = (more: readonly string[]): boolean =>
  ['--to', '--keep', '--expose'].some((option) => more.includes(option));
const backUp = (...more: string[]): Promise<Run> =>
  run([
    ...['backup', 'run', '--delta-dir', 'delta', ...location(), ...more],
    ...(keepsSomething(more) ? [] : ['--keep-nothing']),
  ]);

describe('backup', () => {
  test('run, list, show and restore, with paths meant from where the user is', async () => {
    const made = await backUp(
      '--to',
      'copies',
      '--required',
      'names.nsf',
      '--include',
      '*.nsf',
      '--include',
      'mail/**',
    );
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    expect(made.stdout).toContain('freeze window');
    expect(made.stdout).toContain('3 captured');
    const [, id] = /backup +(\S+) complete/.exec(made.stdout)!;
    expect(existsSync(join(domino.root, 'copies', id!, 'mail/ada.nsf'))).toBe(true);

    const list = await run(['backup', 'list', '--delta-dir', 'delta']);
    expect(list.stdout).toMatch(new RegExp(`${id!} +complete +3, .* reflink, copies`));
    const show = await run(['backup', 'show', id!, '--delta-dir', 'delta']);
    expect(show.stdout).toContain('│████');
    expect(show.stdout).toContain('CN=ada/O=Acme');

    domino.write('mail/ada.nsf', 'destroyed');
    const restored = await run(['restore', id!, 'mail/ada.nsf', '--delta-dir', 'delta', ...location()]);
    expect(restored).toMatchObject({ exitCode: 0, stderr: '' });
    expect(restored.stdout).toContain('restored 1 database of');
    expect(domino.read('mail/ada.nsf')).toContain('at first');
  });

  test('a partial one exits with 3 and shows failures first, with call, number, text and advice', async () => {
    domino.refusing.set('mail/bob.nsf', alreadyInProgress);
    const { exitCode, stdout } = await backUp();
    expect(exitCode).toBe(3);
    const [first, second] = stdout.split('\n');
    expect(first).toBe(
      'mail/bob.nsf  NSFBackupStart: ERR_BACKUP_ALREADY_IN_PROGRESS 0x0EA4 (3748): This database is already in backup',
    );
    expect(second).toMatch(/^ {2}what to do: /);
    expect(stdout).toContain('partial');
  });

  test('with --json there is exactly one document on the standard output', async () => {
    domino.refusing.set('mail/bob.nsf', alreadyInProgress);
    const partial = await backUp('--json');
    expect(JSON.parse(partial.stdout)).toMatchObject({ outcome: 'partial', counts: { captured: 3 } });
    const failed = await backUp('--json', '--max-skipped', '0');
    expect(failed.exitCode).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      error: { code: 'ERR_TOO_MANY_SKIPPED', failures: [{ database: 'mail/bob.nsf' }] },
    });
    expect(JSON.parse((await run(['backup', 'list', '--delta-dir', 'delta', '--json'])).stdout)).toHaveLength(1);
  });

  test('a shadow is kept only on request', async () => {
    await backUp();
    expect(existsSync(join(domino.root, '.domino-vss'))).toBe(false);
    expect((await backUp('--keep')).stdout).toContain('kept: ');
    expect(existsSync(join(domino.root, '.domino-vss'))).toBe(true);
  });
});

describe('exit codes', () => {
  test.each<[string, readonly string[], number]>([
    ['help', ['--help'], 0],
    ['help of a command', ['backup', 'run', '--help'], 0],
    ['version', ['--version'], 0],
    ['no command', [], 2],
    ['an unknown command', ['bakup'], 2],
    ['an unknown option', ['backup', 'run', '--delta-dir', 'd', '--fast'], 2],
    ['a missing option', ['backup', 'run'], 2],
    ['a wrong choice', ['backup', 'run', '--delta-dir', 'd', '--provider', 'vss3'], 2],
    ['a wrong number', ['backup', 'run', '--delta-dir', 'd', '--shards', 'many'], 2],
    ['a wrong time', ['backup', 'run', '--delta-dir', 'd', '--timeout', '-1'], 2],
    ['contradicting modes', ['restore', 'x', '--offline', '--online'], 2],
    ['a half-used mode', ['restore', 'x', '--new-replica-id'], 2],
    ['a backup that is not there', ['restore', 'nothing'], 2],
    ['a delta directory that is not there', ['backup', 'list', '--delta-dir', 'nothing'], 1],
    ['no Domino', ['backup', 'run', '--keep-nothing', '--delta-dir', 'd', '--program', 'nowhere'], 4],
    ['doctor without a Domino', ['doctor', '--ini', 'nowhere/notes.ini', '--program', 'program'], 4],
  ])('%s', async (_what, args, expected) => {
    const { exitCode, stdout, stderr } = await run(args);
    expect(exitCode).toBe(expected);
    expect(stdout + stderr).not.toBe('');
  });

  test('locked, interrupted, and a failing call', async () => {
    const deltaDirectory = join(domino.root, 'delta');
    const held = await beginBackup(() => domino.binding, { domino: domino.location, deltaDirectory });
    expect((await backUp()).exitCode).toBe(5);
    await held.dispose();

    const controller = new AbortController();
    domino.onCall = (name) => {
      if (name === 'capture') controller.abort(new Error('SIGINT'));
    };
    const interrupted = await run(['backup', 'run', '--keep-nothing', '--delta-dir', 'delta', ...location()], {
      signal: controller.signal,
    });
    expect(interrupted.exitCode).toBe(130);
    expect(domino.remains()).toEqual([]);

    domino.onCall = (name) => {
      if (name === 'capture') {
        const text = 'Input/output error';
        fail({ code: 'ERR_SHADOW', operation: 'ioctl', domain: 'system', status: 5, statusName: 'EIO', text });
      }
    };
    const failing = await backUp();
    expect(failing.exitCode).toBe(1);
    expect(failing.stdout).toBe('');
    expect(failing.stderr).toContain('failed ERR_SHADOW: ioctl on (nothing): EIO 5: Input/output error');
    expect(failing.stderr).toContain('what to do:');
  });

  test('an error keeps its exit code when not everything can be taken back', async () => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    domino.haveVss();
    domino.onCall = (name) => {
      if (name === 'close') fail({ code: 'ERR_SHADOW', domain: 'system', status: 16 });
    };
    // Two places and one shadow.
    const { exitCode, stderr } = await backUp('--provider', 'vss', '--expose', 'X:', '--expose', 'Y:');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('2 places are named');
    const controller = new AbortController();
    domino.onCall = (name) => {
      if (name === 'applyChangeInfo') controller.abort('SIGINT');
      if (name === 'close') fail({ code: 'ERR_SHADOW', domain: 'system', status: 16, text: 'busy' });
    };
    domino.busy.add('names.nsf');
    const args = ['backup', 'run', '--delta-dir', 'other', '--to', 'copies', ...location()];
    const interrupted = await run(args, { signal: controller.signal });
    expect(interrupted.exitCode).toBe(130);
    expect(interrupted.stderr).toMatch(/interrupted: not everything could be rolled back: .*busy/);
    expect(warned).toHaveBeenCalledTimes(2);
    warned.mockRestore();
  });

  test('that of the process with the right environment is passed on', async () => {
    const relaunch = (): Promise<number> => Promise.resolve(3);
    expect(await run(['backup', 'run', '--keep-nothing', '--delta-dir', 'd'], { relaunch })).toMatchObject({
      exitCode: 3,
      stdout: '',
    });
    expect(domino.calls).toEqual([]);
  });

  test('a restore that leaves something out is partial', async () => {
    const [, id] = /backup +(\S+) complete/.exec((await backUp('--to', 'copies')).stdout)!;
    const { exitCode, stdout } = await run(['restore', id!, '--delta-dir', 'delta', ...location()]);
    expect(exitCode).toBe(3);
    expect(stdout).toContain('names.nsf  ERR_RESTORE_SYSTEM_DATABASE: the server always holds this database open');
    const dry = await run(['restore', id!, '--delta-dir', 'delta', '--dry-run', ...location()]);
    expect(dry.exitCode).toBe(0);
    expect(dry.stdout).toContain('would restore 3 databases');
  });
});

describe('VSS', () => {
  const device = '\\\\?\\Volume{0000000d-0000-0000-0000-000000000000}\\';
  let vss: FakeVss;

  beforeEach(() => {
    vss = domino.haveVss();
    vss.shadows = [nativeShadow(1), nativeShadow(2, { exposedName: 'B:\\' })];
    domino.binding.inspectVolume = () => Promise.resolve(domino.volume({ device }));
  });

  test.each([
    ['BackupComplete', 1],
    ['DeleteSnapshots', 0],
  ])('a failing %s at the end of a good backup', async (method, exitCode) => {
    const close = jest.spyOn(FakeVssSession.prototype, 'close').mockImplementation(() => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- as native code rejects
      throw comFailure(0x800423f4, { phase: 'end', operation: `IVssBackupComponents::${method}` });
    });
    const made = await backUp('--writers', 'all');
    const json = await backUp('--writers', 'all', '--json');
    close.mockRestore();
    expect([made.exitCode, json.exitCode]).toEqual([exitCode, exitCode]);
    expect(made.stderr.includes(`failed ERR_VSS_WRITER: IVssBackupComponents::${method}`)).toBe(exitCode === 1);
    expect(made.stdout).toContain(`warning WARN_END_FAILED: IVssBackupComponents::${method}`);
    expect(JSON.parse(json.stdout)).toMatchObject({ outcome: 'complete', problems: [{ phase: 'end' }] });
  });

  test('backup run keeps, exposes and describes a shadow, and delete takes exactly ours', async () => {
    vss.shadows = [nativeShadow(1)];
    const made = await backUp('--expose', 'B:', '--writers', 'all', '--backup-type', 'copy');
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    expect(made.stdout).toMatch(/snapshot set +\{aaaaaaaa-.*\}, app-rollback/);
    expect(made.stdout).toMatch(/writers +2 took part, 0 left out/);
    expect(made.stdout).toMatch(/shadow +kept: B:\\ \(/);
    const [, id] = /backup +(\S+) complete/.exec(made.stdout)!;
    expect((await run(['backup', 'show', id!, '--delta-dir', 'delta'])).stdout).toMatch(/volume .* → B:\\/);

    const list = await run(['shadow', 'list', '--delta-dir', 'delta']);
    expect(list.stdout.split('\n').map((line) => line.split(/ {2,}/).at(-1))).toEqual(['OURS', 'no', 'yes', '']);
    const refused = await run(['shadow', 'delete', '--all', '--delta-dir', 'delta']);
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain(
      'nothing was deleted, because 1 of 2 selected shadows may belong to another program: {00000000-',
    );
    expect(refused.stderr).toContain('--own-only');
    const deleted = await run(['shadow', 'delete', '--all', '--own-only', '--delta-dir', 'delta']);
    expect(deleted.exitCode).toBe(0);
    expect(deleted.stdout).toMatch(/kept .* not ours\ndeleted .*\n1 shadow deleted/);
    expect(vss.shadows).toHaveLength(1);
  });

  test('a deletion that is cut off says what is deleted and what is left', async () => {
    vss.shadows = [nativeShadow(1), nativeShadow(2)];
    const { native } = vss;
    const deleteShadow = native.deleteShadows.bind(native);
    vss.native.deleteShadows = (options) =>
      options.id === shadowId(1) ? deleteShadow(options) : new Promise(() => undefined);
    const args = ['shadow', 'delete', '--all', '--foreign', '--timeout', '0.2'];
    const late = await run(args);
    expect(late.exitCode).toBe(1);
    expect(late.stderr).toContain(`deleted ${shadowId(1)}\nleft ${shadowId(2)}\nfailed ERR_DEADLINE`);
    expect(late.stderr).toContain('deleted 1 of 2 shadows');
    const { stdout } = await run([...args, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ error: { deletion: { deleted: [], left: [shadowId(2)] } } });
  });

  test('plain volumes, without Domino', async () => {
    const args = ['backup', 'run', '--keep', '--delta-dir', 'delta', '--source', 'volumes', '--volume', domino.root];
    const errands: unknown[] = [];
    const relaunch = (errand: unknown): Promise<undefined> => {
      errands.push(errand);
      return Promise.resolve(undefined);
    };
    const made = await run(args, { relaunch });
    expect(errands).toMatchObject([{ domino: undefined, loadsDomino: false, changes: true }]);
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    expect(made.stdout).not.toContain('databases');
    expect(domino.calls).not.toContain('openRuntime');
    const unfit = await run([...args, '--include', 'x']);
    expect(unfit).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--include has no meaning') });
  });

  test('lists line up, and --json has everything', async () => {
    const [head, first, second] = (await run(['shadow', 'list'])).stdout.split('\n');
    for (const title of ['VOLUME', 'MADE', 'CONTEXT', 'EXPOSED AS', 'OURS']) {
      const column = head!.indexOf(title);
      for (const line of [first!, second!])
        expect([title, line[column - 1], line[column]]).toEqual([title, ' ', expect.stringMatching(/\S/)]);
    }
    const detailed = (await run(['shadow', 'list', '--detailed'])).stdout;
    expect(detailed).toContain('persistent, no-auto-release, no-writers, differential');
    expect(JSON.parse((await run(['shadow', 'list', '--json'])).stdout)).toMatchObject([
      { own: false },
      { exposedAs: 'B:\\' },
    ]);
    vss.shadows = [];
    expect((await run(['shadow', 'list'])).stdout).toBe('no shadow copies\n');
  });

  test('expose, unexpose, break, import and revert', async () => {
    writeFileSync(join(domino.root, 'components.xml'), '<x/>');
    const commands: [string[], RegExp][] = [
      [['expose', shadowId(1), 'x:'], /^exposed as X:\\\n$/],
      [['unexpose', 'X:'], /^X: is no longer exposed/],
      [['unexpose', shadowId(2)], /is no longer exposed/],
      [['expose', shadowId(1), 'old', '--share', '--directory', 'data'], /^exposed as old/],
      [['break', setId(1), '--writable'], /^broke the set/],
      [['import', 'components.xml'], /OURS\n.* yes\n/],
      [['revert', shadowId(1), '--domino-is-stopped'], /was reverted to/],
      [['revert-status', 'D:'], /^no revert of D: is running/],
      [['delete', '--exposed', 'old', '--foreign'], /1 shadow deleted/],
    ];
    for (const [args, expected] of commands) {
      const { exitCode, stdout, stderr } = await run(['shadow', ...args]);
      expect([args, exitCode, stderr]).toEqual([args, 0, '']);
      expect(stdout).toMatch(expected);
    }
    expect(vss.changes.map(([what]) => what)).toEqual([
      'expose',
      'unexpose',
      'unexpose',
      'expose',
      'break',
      'revert',
      'unexpose',
      'delete',
    ]);
  });

  test('writers and providers, failed ones first', async () => {
    const failed = { state: 9, failure: 0x800423f4, failureName: 'VSS_E_WRITERERROR_NONRETRYABLE' };
    vss.writers.push(nativeWriter('SqlServerWriter', { ...failed, applicationMessage: 'log full' }));
    const list = await run(['writer', 'list', '--status']);
    expect(list.exitCode).toBe(3);
    const [first, says, advice] = list.stdout.split('\n');
    expect(first).toBe('SqlServerWriter  failed-at-freeze: VSS_E_WRITERERROR_NONRETRYABLE 0x800423F4');
    expect(says).toBe('  it says: log full');
    expect(advice).toMatch(/^ {2}what to do: /);
    expect((await run(['writer', 'list', '--detailed'])).stdout).toContain('C:\\Windows\\* and below');
    const providers = await run(['provider', 'list', '--supports', 'D:']);
    expect(providers).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('D: can be shadowed') });
    vss.native.isVolumeSupported = () => Promise.resolve(false);
    expect((await run(['provider', 'list', '--supports', 'D:'])).exitCode).toBe(4);
  });

  test.each<[string[], RegExp]>([
    [['shadow', 'delete'], /exactly one of --id/],
    [['shadow', 'delete', '--all', '--volume', 'D:'], /exactly one of --id/],
    [['shadow', 'delete', '--all', '--own-only', '--foreign'], /cannot be used with/],
    [['shadow', 'expose', 'x', 'B:'], /error: <id> must be an id/],
    [['shadow', 'expose', shadowId(1), 'B:', '--directory', 'x'], /needs --share/],
    [['shadow', 'break', setId(1), '--mask', '--writable'], /no meaning/],
    [['backup', 'run', '--delta-dir', 'd', '--vss-context', 'x'], /Allowed choices are backup/],
    [['backup', 'run', '--keep-nothing', '--delta-dir', 'd', '--vss-provider', 'x'], /--vss-provider must be an id/],
    [
      ['backup', 'run', '--keep-nothing', '--delta-dir', 'd', '--writers', 'none', '--exclude-writer', 'x'],
      /no writer can be excluded/,
    ],
    [['shadow'], /Usage: domino-vss shadow/],
  ])('wrong usage: %j', async (args, message) => {
    expect(await run(args)).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(message) });
    expect(vss.changes).toEqual([]);
  });

  test('an error of VSS says what failed and what to do', async () => {
    domino.onCall = (name) => {
      if (name === 'prepare')
        throw comFailure(0x80042316, { operation: 'IVssBackupComponents::StartSnapshotSet' }) as unknown as Error;
    };
    const { exitCode, stderr } = await backUp();
    expect(exitCode).toBe(5);
    expect(stderr).toContain(
      'failed ERR_VSS_IN_PROGRESS: IVssBackupComponents::StartSnapshotSet on (nothing): 0x80042316',
    );
    expect(stderr).toContain('what to do: Another program is making a shadow');
  });

  test('without VSS', async () => {
    Object.assign(domino.binding, { vss: undefined });
    const { exitCode, stderr } = await run(['shadow', 'list']);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('exists on Windows only');
  });
});

test('a delta directory that does not exist is named as such, with advice that fits', async () => {
  const { exitCode, stderr } = await run(['recover', '--delta-dir', 'nowhere']);
  expect(exitCode).toBe(4);
  expect(stderr).toContain(`the delta directory ${join(domino.root, 'nowhere')} does not exist\n`);
  expect(stderr).toContain('what to do: Name the delta directory that the backups were made with');
});

test('the help of the exit code in the metrics names every exit code', () => {
  const end = { command: 'drill', exitCode: 130, durationMs: 1, endedAt: new Date(0), figures: [] };
  const [, help = ''] = /^# HELP domino_vss_last_exit_code (.*)$/m.exec(metricsText(end)) ?? [];
  const codes = [...Object.values(exitCodes), ...Object.values(errorCodes).map(({ exitCode }) => exitCode)];
  const unnamed = codes.filter((code) => !new RegExp(`\\b${code} \\w`).test(help));
  expect(unnamed).toEqual([]);
});

test('colours only on a terminal, and not with NO_COLOR or --json', async () => {
  const escape = String.fromCharCode(27);
  const terminal = (): { stdout: CommandLineContext['stdout']; text: () => string } => {
    const text: string[] = [];
    return { stdout: { isTTY: true, write: (part) => text.push(part) }, text: () => text.join('') };
  };
  for (const [env, json, coloured] of [
    [{}, [], true],
    [{ NO_COLOR: '1' }, [], false],
    [{}, ['--json'], false],
  ] as const) {
    const { stdout, text } = terminal();
    await run(['backup', 'run', '--keep-nothing', '--delta-dir', 'delta', ...location(), ...json], { stdout, env });
    expect(text().includes(escape)).toBe(coloured);
  }
});

describe('a backup that keeps nothing', () => {
  test('is refused unless asked for, before anything is begun', async () => {
    const args = ['backup', 'run', '--delta-dir', 'delta', ...location()];
    const refused = await run(args);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toContain('nothing could be restored');
    expect(domino.calls).toEqual([]);
    expect(existsSync(domino.deltaDirectory)).toBe(false);
    expect((await run([...args, '--keep-nothing'])).exitCode).toBe(0);
  });

  test.each([['--to', 'copies'], ['--keep'], ['--expose', 'X:']])('contradicts %s', async (...more) => {
    expect(await backUp(...more, '--keep-nothing')).toMatchObject({ exitCode: 2 });
  });

  test('has no shadow to hash', async () => {
    expect(await backUp('--to', 'copies', '--hash')).toMatchObject({ exitCode: 2 });
  });
});

test('drill: what could be restored, and exit codes 0, 1 and 2', async () => {
  domino.sameReplicaIds = true;
  domino.unlogged.add('apps/crm.nsf');
  await backUp('--to', 'copies');
  const drill = ['drill', '--delta-dir', 'delta', ...location()];
  const passed = await run(drill);
  expect(passed).toMatchObject({ exitCode: 0, stderr: '' });
  expect(passed.stdout).toMatch(/apps\/crm\.nsf +[\d.]+ k?B +opened \(not logged\)\n/);
  expect(passed.stdout).toMatch(/mail\/ada\.nsf +[\d.]+ k?B +recovered and opened\n/);
  expect(passed.stdout).toMatch(
    /drill passed: 4 of 4 databases of .*: 3 recovered and opened, 1 without logging opened\n/,
  );
  const json = await run([...drill, '--sample', '2', '--include', 'mail/*', '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ outcome: 'passed', of: 2, databases: [{}, {}] });
  domino.onCall = (name) => name === 'readIdentities' && fail({ domain: 'domino', operation: 'NSFDbOpen', status: 1 });
  const failed = await run(drill);
  expect(failed.exitCode).toBe(1);
  expect(failed.stdout).toContain('drill failed: 4 of 4');
  expect(failed.stdout).toContain('NSFDbOpen');
  domino.onCall = () => undefined;
  expect((await run(['drill', ...location()])).exitCode).toBe(2);
  expect((await run([...drill, '--sample', '0'])).exitCode).toBe(2);
});

test('prune: a table first, then what was removed; exit codes 0, 2 and 3', async () => {
  const idOf = ({ stdout }: Run): string => /backup +(\S+) complete/.exec(stdout)![1]!;
  const old = idOf(await backUp('--to', 'copies'));
  const recent = idOf(await backUp('--to', 'copies'));
  const prune = ['backup', 'prune', '--delta-dir', 'delta', '--keep-last', '1'];
  const dry = await run([...prune, '--dry-run']);
  expect(dry).toMatchObject({ exitCode: 0, stderr: '' });
  expect(dry.stdout).toMatch(new RegExp(`${old} .*remove +4 copies, `));
  expect(dry.stdout).toMatch(new RegExp(`${recent} .*keep +last\n`));
  expect(dry.stdout).toContain('would remove 1 backup, ');
  expect(existsSync(join(domino.root, 'copies', old))).toBe(true);

  const pruned = await run(prune);
  expect(pruned.exitCode).toBe(0);
  expect(pruned.stdout).toMatch(/remove +4 copies, [^]*\nremoved 1 backup, /);
  expect(readdirSync(join(domino.root, 'copies'))).toEqual([recent]);
  const json = await run([...prune, '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ outcome: 'nothing', backups: [{ id: recent, result: 'kept' }] });

  rmSync(join(domino.root, 'copies', recent), { recursive: true });
  await backUp('--to', 'copies');
  const left = await run(prune);
  expect(left.exitCode).toBe(3);
  expect(left.stdout).toContain(`warning WARN_BACKUP_LEFT: ${recent} is left: none of its copies is in `);
  expect((await run([...prune, '--forget-missing-copies'])).stdout).toContain('removed 1 backup');

  const unruly = await run(['backup', 'prune', '--delta-dir', 'delta']);
  expect(unruly).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('at least one of --keep-last') });
  for (const wrong of ['5', '0d', '1y', '-1h']) {
    expect(await run([...prune, `--keep-within=${wrong}`])).toMatchObject({ exitCode: 2 });
  }
});

test('verify: exit codes 0 and 1, and what is damaged by name', async () => {
  const [, id] = /backup +(\S+) complete/.exec((await backUp('--to', 'copies')).stdout)!;
  const verify = ['backup', 'verify', id!, '--delta-dir', 'delta'];
  const intact = await run(verify);
  expect(intact).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('is intact: 4 databases verified') });
  writeFileSync(join(domino.root, 'copies', id!, 'mail/ada.nsf'), 'no database');
  const damaged = await run(verify);
  expect(damaged).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('1 damaged') });
  expect(damaged.stdout).toContain('mail/ada.nsf  ERR_CONTENTS_DAMAGED');
  expect((await run([...verify, '--apply', ...location()])).exitCode).toBe(1);
  const json = await run([...verify, '--json']);
  expect(JSON.parse(json.stdout)).toMatchObject({ outcome: 'damaged', counts: { verified: 3, damaged: 1 } });
  rmSync(join(domino.root, 'delta', id!, 'manifest.json'));
  expect((await run(verify)).stderr).toContain('ERR_MANIFEST');
});

describe('documentation', () => {
  const text = readFileSync(join(__dirname, '../../../../docs/command-line.md'), 'utf8');

  function commandsOf(command: Command, prefix: string): [string, Command][] {
    const name = `${prefix}${command.name()}`;
    return command.commands.length === 0
      ? [[name, command]]
      : command.commands.flatMap((child) => commandsOf(child, `${name} `));
  }

  test('docs/command-line.md names every command and option', () => {
    const directory = mkdtempSync(join(tmpdir(), 'domino-vss-docs-'));
    writeFileSync(join(directory, 'x'), '');
    const program = createProgram({ workingDirectory: directory } as CommandLineContext, () => undefined);
    rmSync(directory, { recursive: true });
    for (const [name, command] of commandsOf(program, '')) {
      expect(text).toContain(`## ${name}`);
      const section = text.split(`## ${name}`)[1]!.split('\n## ')[0]!;
      for (const option of command.options)
        expect([name, section.includes(`\`${option.flags}\``), option.flags]).toEqual([name, true, option.flags]);
    }
  });

  test('every command has examples in its help', async () => {
    for (const [name] of commandsOf(
      createProgram({} as CommandLineContext, () => undefined),
      '',
    )) {
      const { stdout } = await run([...name.split(' ').slice(1), '--help']);
      // A default is shown in the unit of its option: no default is 600 000 seconds.
      expect(stdout).not.toMatch(/default: \d{5,}/);
      expect(stdout).toContain(`$ ${name}`);
    }
  });
});

test.each([
  ['backup run', ['--keep-nothing']],
  ['backup prune', ['--keep-last', '1']],
  ['bench', ['--runs', '1']],
  ['rehearse', []],
  ['drill', []],
  ['recover', []],
])('who watches %s knows where its journal is', async (command, options) => {
  const places: unknown[] = [];
  const relaunch = (place: unknown): Promise<number> => {
    places.push(place);
    return Promise.resolve(0);
  };
  await run([...command.split(' '), '--delta-dir', 'delta', ...options], { relaunch });
  expect(places).toMatchObject([{ deltaDirectory: join(domino.root, 'delta'), changes: true }]);
});

test.each([
  ['backup run --delta-dir delta --keep-nothing --dry-run', [false]],
  ['backup prune --delta-dir delta --keep-last 1 --dry-run', [false]],
  ['backup run --delta-dir delta --keep --stop-service x', [true]],
  ['recover --dry-run', [false]],
  ['doctor', [false]],
  ['doctor --canary', [true]],
  ['logs archive --log-archive archive', [true]],
  ['script --with-domino script.txt', [true]],
  ['script --with-domino --check script.txt', []],
  ['backup list --delta-dir delta', []],
  ['restore --help', []],
])('only a command that changes something needs somebody who watches it: %s', async (command, expected) => {
  const errands: { readonly changes: boolean }[] = [];
  const relaunch: CommandLineContext['relaunch'] = (errand) => {
    errands.push(errand);
    return Promise.resolve(0);
  };
  await run(command.split(' '), { relaunch });
  expect(errands.map(({ changes }) => changes)).toEqual(expected);
});
