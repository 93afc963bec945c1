import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import prettyBytes from 'pretty-bytes';
import { daosDirectory } from '../domino/environment';
import type { Call } from '../call/call';
import { readFile } from '../call/files';
import { listCatalog } from '../domino/catalog';
import { takeSelected, type BackupDatabases } from '../domino/databases';
import { failed, ok, skipped, warned, type DoctorOptions, type Finding } from './check';
import {
  findInstallation,
  findNotesIni,
  missingEnvironment,
  NotesIni,
  requiredEnvironment,
} from '../domino/environment';
import { checkBackupMemory, checkMaintenance, checkServerTasks, checkTimeLimit } from './server-settings';
import { checkShadowStorage } from './shadow-storage';
import { isNativeFailure } from '../errors/errors';
import { describeUnusable, readJournals } from '../store/journals';
import { describeLeftOver } from '../store/left-over';
import type { NativeBinding, NativeRuntime } from '../native/session';
import { chooseShadows, nativeSource } from '../backup/provider';
import { openRuntime } from '../domino/runtime';
import { Selector } from '../domino/selection';

/** What earlier checks have found out for later ones. */
export interface DoctorContext {
  readonly options: DoctorOptions;
  readonly loadBinding: () => NativeBinding;
  readonly call: Call;
  binding?: NativeBinding;
  notesIni?: NotesIni;
  runtime?: NativeRuntime;
  /** Code of the error with which the runtime did not open. */
  runtimeError?: string;
  databases?: BackupDatabases;
}

/** Set by the command line when it has started itself again with the environment that Domino needs. */
export const relaunchVariable = 'DOMINO_VSS_WORKING_DIRECTORY';

/** All checks in their order: each uses what the ones before it have found. */
export const doctorChecks: readonly (readonly [string, (context: DoctorContext) => Promise<Finding>])[] = [
  ['addon', checkAddon],
  ['notes.ini', checkNotesIni],
  // The loader of Windows needs no environment, and its processes have no limit of open files that matters.
  ...(process.platform === 'linux' ? ([['environment', checkEnvironment]] as const) : []),
  ['library', checkLibrary],
  ['user', checkUser],
  ...(process.platform === 'win32' ? ([['NOTESNTSERVICE', checkService]] as const) : []),
  ['transaction log', checkTransactionLog],
  ['databases', checkDatabases],
  ...(process.platform === 'linux' ? ([['descriptors', checkDescriptors]] as const) : []),
  ['file system', checkFileSystem],
  ...(process.platform === 'win32' ? ([['shadow storage', checkStorage]] as const) : []),
  ['delta directory', checkDeltaDirectory],
  ['left over', checkLeftOvers],
  ['DAOS', checkDaos],
  ['backup time limit', ofNotesIni(checkTimeLimit)],
  ['backup memory', ofNotesIni(checkBackupMemory)],
  ['server tasks', ofNotesIni(checkServerTasks)],
  ['maintenance', ofNotesIni(checkMaintenance)],
  ['canary', checkCanary],
];

/** A check that needs nothing but notes.ini. */
function ofNotesIni(check: (notesIni: NotesIni) => Finding): (context: DoctorContext) => Promise<Finding> {
  return ({ notesIni }) => Promise.resolve(notesIni ? check(notesIni) : skipped('needs notes.ini'));
}

async function checkAddon(context: DoctorContext): Promise<Finding> {
  context.binding = context.loadBinding();
  return Promise.resolve(ok(`loaded; Node ${process.versions.node} on ${process.platform}-${process.arch}`));
}

async function checkNotesIni(context: DoctorContext): Promise<Finding> {
  const notesIni = new NotesIni(findNotesIni(context.options.domino));
  const { dataDirectory } = notesIni;
  const found = await stat(dataDirectory).catch(() => undefined);
  if (!found?.isDirectory()) {
    return failed(
      'ERR_DOMINO_NOTES_INI',
      `${notesIni.file} names the data directory ${dataDirectory}, which does not exist`,
      'Mount it.',
    );
  }
  context.notesIni = notesIni;
  return ok(`${notesIni.file}; data directory ${dataDirectory}`);
}

async function checkEnvironment({ options }: DoctorContext): Promise<Finding> {
  const installation = findInstallation(options.domino);
  const missing = missingEnvironment(installation);
  const needed = requiredEnvironment(installation);
  const { programDirectory } = installation;
  const advice =
    `A program that uses the API must be started with LD_LIBRARY_PATH=${programDirectory} ` +
    `Notes_ExecDirectory=${programDirectory} Directory=${needed['Directory'] ?? ''}, and with both directories and ` +
    `${programDirectory}/res/C in PATH`;
  if (process.env[relaunchVariable] !== undefined) return Promise.resolve(ok('set by the command line itself', advice));
  if (missing.length === 0) return ok('complete');
  // Without the library path nothing loads; the rest only matters to some functions.
  return missing.includes('LD_LIBRARY_PATH')
    ? failed('ERR_DOMINO_ENVIRONMENT', `missing or wrong: ${missing.join(', ')}`, advice)
    : warned('WARN_ENVIRONMENT', `missing or wrong: ${missing.join(', ')}`, advice);
}

async function checkLibrary(context: DoctorContext): Promise<Finding> {
  const { binding, options, call } = context;
  if (!binding) return skipped('needs the addon');
  try {
    context.runtime = await openRuntime(binding, options.domino, call);
  } catch (error) {
    if (isNativeCode(error)) context.runtimeError = error.code;
    throw error;
  }
  const { programDirectory, serverName, missingFunctions } = context.runtime;
  const found = `${programDirectory}, as ${serverName || '(no ID)'}`;
  if (missingFunctions.length > 0) {
    return warned(
      'WARN_FUNCTION_MISSING',
      `${found}; does not export ${missingFunctions.join(', ')}`,
      'What needs these functions is not possible.',
    );
  }
  if (options.domino?.trustProgramDirectory === true) {
    return warned(
      'WARN_PROGRAM_DIRECTORY_UNCHECKED',
      `${found}; who could replace it was not looked at`,
      'Leave --trust-program out once: the error names the command that takes the right from ordinary users.',
    );
  }
  return ok(found);
}

function isNativeCode(error: unknown): error is { readonly code: string } {
  return typeof (error as { code?: unknown } | undefined)?.code === 'string';
}

async function checkUser({ notesIni, runtime, runtimeError }: DoctorContext): Promise<Finding> {
  const uid = process.geteuid?.();
  if (uid === undefined) {
    return ok('not comparable on this system', 'Run as the account of the Domino service or an administrator.');
  }
  if (!notesIni) return skipped('needs notes.ini');
  const { uid: owner } = await stat(notesIni.dataDirectory);
  const advice =
    owner === 0
      ? 'Let the data directory belong to the user that the server runs as, and run as that user: never as root.'
      : `Run as the user with the id ${owner}, for example with: sudo -u '#${owner}'`;
  if (uid === 0) {
    const found = `root; the data directory belongs to user ${owner}`;
    if (runtime) return warned('WARN_RUN_AS_ROOT', `${found}; this runtime allows it`, advice);
    return runtimeError === undefined
      ? warned('WARN_RUN_AS_ROOT', found, advice)
      : failed('ERR_DOMINO_USER', found, advice);
  }
  if (uid === owner) return ok(`user ${uid}, to whom the data directory belongs`);
  return failed(
    'ERR_DOMINO_NOT_SHARED',
    `user ${uid}, but the data directory belongs to user ${owner}: a process of another user may form a Domino ` +
      'environment of its own, in which backups record nothing',
    advice,
  );
}

async function checkService(): Promise<Finding> {
  if (process.env['NOTESNTSERVICE'] === '1') return Promise.resolve(ok('NOTESNTSERVICE=1'));
  return warned(
    'WARN_SERVICE_VARIABLE',
    'not set',
    'Set the system variable NOTESNTSERVICE=1 before this runs as a service.',
  );
}

async function checkTransactionLog({ binding, runtime, call }: DoctorContext): Promise<Finding> {
  if (!binding || !runtime) return skipped('needs the library');
  const style = await call.race(binding.transactionLogStyle());
  switch (style) {
    case 'none':
      return warned(
        'WARN_NO_TRANSACTION_LOG',
        'off',
        'Backups can be restored to their own time only; switch transaction logging on for more.',
      );
    case 'archive':
      return ok('archive', 'Archive the logs regularly, or they fill their disk.');
    case 'circular':
    case 'linear':
      return ok(`${style}; points in time can be reached as far back as the log goes`);
  }
}

async function checkDatabases(context: DoctorContext): Promise<Finding> {
  const { binding, notesIni, call } = context;
  if (!binding || !notesIni) return skipped('needs the addon and notes.ini');
  const { dataDirectory } = notesIni;
  const catalog = await listCatalog(binding, { dataDirectory, excludeDirectories: [] }, call);
  context.databases = await takeSelected(dataDirectory, catalog, await new Selector({}).select(catalog));
  const { paths, volumes } = context.databases;
  const found = `${paths.length} on ${volumes.map(({ path }) => path).join(', ')}`;
  if (paths.length === 0) return failed('ERR_NO_DATABASES', found, 'Check "Directory" in notes.ini.');
  const hiding = catalog.problems.filter(({ operation }) => operation !== '');
  const [problem] = hiding;
  if (!problem) return ok(found);
  const more = hiding.length > 1 ? ` (and ${hiding.length - 1} more)` : '';
  return warned(
    'WARN_LINK_BROKEN',
    `${found}; a link or directory cannot be followed: ${problem.subject}: ${problem.text}${more}`,
    'Repair it, remove it, or exclude it: what lies behind it is not in the backup.',
  );
}

/** Beside the databases: the runtime's own files, deltas, copies. */
const spareDescriptors = 256;

async function checkDescriptors({ databases }: DoctorContext): Promise<Finding> {
  if (!databases) return skipped('needs the databases');
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const [, soft] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
  if (soft === undefined) return skipped('this system does not tell its limit');
  const needed = databases.paths.length + spareDescriptors;
  const found = `${soft} allowed, about ${needed} needed`;
  if (soft === 'unlimited' || Number(soft) >= needed) return ok(found);
  return failed(
    'ERR_OPEN_FILES',
    found,
    `Raise the limit: ulimit -n ${needed}, or LimitNOFILE=${needed} in the systemd unit.`,
  );
}

async function checkFileSystem({ binding, databases, options, call }: DoctorContext): Promise<Finding> {
  if (!binding || !databases) return skipped('needs the addon and the databases');
  const option = options.provider ?? 'auto';
  const { shadowDirectory, deltaDirectory } = options;
  const { volumes, dataDirectory } = databases;
  const choice = { provider: option, shadowDirectory, deltaDirectory, volumes, dataDirectory };
  const { provider, directories } = await call.race(chooseShadows(binding, choice));
  const { name, reason } = provider;
  // Without a directory of their own the copies of `rolling` lie in the delta directory, which is tested as such.
  const ownDirectories = provider.native === 'rolling' && shadowDirectory === undefined ? [] : directories;
  const unwritable = await firstUnwritable(ownDirectories.map(({ path }) => path));
  if (unwritable !== undefined) {
    return failed(
      'ERR_SHADOW_DIRECTORY',
      `provider ${name} (${reason}), but ${unwritable} cannot be written to`,
      'Make a directory for shadows on that file system that this user may write to, and name it as shadowDirectory.',
    );
  }
  const where = directories.map(({ path }) => path).join(', ');
  if (name === 'rolling' && option === 'auto') {
    return warned(
      'WARN_NO_SNAPSHOTS',
      `provider rolling: ${reason}`,
      'Databases are copied one by one; btrfs or XFS would give a snapshot.',
    );
  }
  return ok(`provider ${name}: ${reason}${where === '' ? '' : `; shadows in ${where}`}`);
}

async function checkStorage({ binding, databases, call }: DoctorContext): Promise<Finding> {
  if (!binding?.vss || !databases?.volumes.length) return skipped('needs the addon and the databases');
  const volumes = databases.volumes.map((volume) => nativeSource('vss', volume));
  return checkShadowStorage({ vss: binding.vss, volumes, call });
}

async function firstUnwritable(directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    let existing = directory;
    while (!existsSync(existing)) existing = dirname(existing);
    const writable = await access(existing, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!writable) return existing;
  }
  return undefined;
}

/** Free space for deltas below which a warning is due, as a share of the databases' size. */
const advisedDeltaShare = 0.02;

async function checkDeltaDirectory({ binding, databases, options }: DoctorContext): Promise<Finding> {
  const { deltaDirectory } = options;
  if (deltaDirectory === undefined) return skipped('none was named');
  const unwritable = await firstUnwritable([deltaDirectory]);
  if (unwritable !== undefined) {
    return failed(
      'ERR_DELTA_DIRECTORY',
      `${unwritable} cannot be written to`,
      'Choose another directory, or give this user the right to it.',
    );
  }
  let existing = deltaDirectory;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  const freeBytes = bavail * bsize;
  const found = `${deltaDirectory}, ${prettyBytes(freeBytes)} free`;
  const advisedBytes = Math.ceil((databases?.sizeBytes ?? 0) * advisedDeltaShare);
  if (freeBytes < advisedBytes) {
    return warned(
      'WARN_DELTA_SPACE',
      found,
      `Have at least ${prettyBytes(advisedBytes)} free: all that changes in the window goes there.`,
    );
  }
  const volume = await binding?.inspectVolume(existing);
  if (volume && databases?.volumes.some(({ path }) => path === volume.path)) {
    return warned(
      'WARN_DELTA_VOLUME',
      `${found}, on the volume of the databases`,
      'Choose another volume: its loss would take both.',
    );
  }
  return ok(found);
}

async function checkLeftOvers({ options, notesIni }: DoctorContext): Promise<Finding> {
  if (options.deltaDirectory === undefined || !notesIni) return skipped('needs a delta directory and notes.ini');
  const { deltaDirectory } = options;
  const { live, leftOvers, unusable } = await readJournals(deltaDirectory, notesIni.dataDirectory);
  const found = [...leftOvers.map(describeLeftOver), ...unusable.map(describeUnusable)];
  if (found.length > 0) {
    return warned(
      leftOvers.length > 0 ? 'WARN_WORK_UNFINISHED' : 'WARN_JOURNAL_UNUSABLE',
      found.join('; '),
      `Run: domino-vss recover --delta-dir ${deltaDirectory}`,
    );
  }
  return ok(live.length === 0 ? 'nothing' : `nothing; ${live.length} is running now`);
}

async function checkDaos({ notesIni, binding, databases }: DoctorContext): Promise<Finding> {
  if (!notesIni) return skipped('needs notes.ini');
  const directory = daosDirectory(notesIni, notesIni.dataDirectory);
  if (directory === '') return ok('not in use');
  const found = await stat(directory).catch(() => undefined);
  if (!found) return warned('WARN_DAOS_MISSING', `${directory} does not exist`, 'Check DAOSBasePath in notes.ini.');
  const volume = await binding?.inspectVolume(directory);
  const isInSnapshot = volume !== undefined && databases?.volumes.some(({ path }) => path === volume.path) === true;
  const where = isInSnapshot ? 'on a volume of the databases' : 'on another volume than the databases';
  return ok(
    `${directory}, ${where}`,
    'Save its *.nlo files after the databases, never before: they are not part of this backup.',
  );
}

/** ERR_SERVER_NOT_RESPONDING */
const serverNotResponding = 0x0807;

async function checkCanary({ binding, runtime, options, call }: DoctorContext): Promise<Finding> {
  if (options.canary !== true) return skipped('not asked for');
  if (!binding || !runtime) return skipped('needs the library');
  const database = `domino-vss-canary-${randomBytes(4).toString('hex')}.nsf`;
  const { serverName } = runtime;
  const result = await call.race(binding.runCanary({ serverName, database })).catch((error: unknown) => {
    if (isNativeFailure(error) && error.domain === 'domino' && error.status === serverNotResponding) return undefined;
    throw error;
  });
  if (!result) {
    return failed(
      'ERR_DOMINO_NOT_SHARED',
      `no server ${serverName} answers: it is down, or this process forms a Domino environment of its own, in which ` +
        'backups record nothing',
      'Start the server; run as the same user, with the same program directory and notes.ini as it.',
    );
  }
  if (result.recorded) {
    return ok(`a write through ${runtime.serverName || 'the server'} was recorded (${result.changeInfoBytes} bytes)`);
  }
  return failed(
    'ERR_DOMINO_NOT_SHARED',
    'a write through the server was NOT recorded: this process does not share memory with the server, and its ' +
      'backups would be inconsistent without any error',
    'Run as the same user, with the same program directory and notes.ini as the server.',
  );
}
