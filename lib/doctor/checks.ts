import { existsSync } from 'node:fs';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import prettyBytes from 'pretty-bytes';
import { daosDirectory } from '../domino/environment';
import type { Call } from '../call/call';
import { readFile } from '../call/files';
import { listCatalog } from '../domino/catalog';
import { hidesDatabases, takeSelected, type BackupDatabases } from '../domino/databases';
import { failed, ok, skipped, warned, type DoctorOptions, type Finding } from './check';
import {
  findInstallation,
  type Installation,
  findNotesIni,
  missingEnvironment,
  NotesIni,
  requiredEnvironment,
} from '../domino/environment';
import { checkBackupMemory, checkMaintenance, checkServerTasks, checkTimeLimit } from './server-settings';
import { checkShadowStorage } from './shadow-storage';
import { counted } from '../errors/counted';
import { isNativeFailure } from '../errors/errors';
import { newCanaryName, removeDeadCanaries } from '../store/canary';
import { describeUnusable, readJournals } from '../store/journals';
import { describeLeftOver } from '../store/left-over';
import type { NativeBinding, NativeRuntime } from '../native/session';
import { chooseShadows, defaultBudgetMs, nativeSource } from '../backup/provider';
import { openRuntime } from '../domino/runtime';
import { Selector } from '../domino/selection';

/** Results of earlier checks that later ones use. */
export interface DoctorContext {
  readonly options: DoctorOptions;
  readonly loadBinding: () => NativeBinding;
  readonly call: Call;
  binding?: NativeBinding;
  notesIni?: NotesIni;
  runtime?: NativeRuntime;
  /** Code of the error if the runtime could not be opened. */
  runtimeError?: string;
  databases?: BackupDatabases;
}

/** Set by the command line when it has restarted itself with the environment that Domino needs. */
export const environmentSetVariable = 'DOMINO_VSS_ENVIRONMENT_SET';

/** All checks in order: each uses the results of the earlier ones. */
export const doctorChecks: readonly (readonly [string, (context: DoctorContext) => Promise<Finding>])[] = [
  ['addon', checkAddon],
  ['notes.ini', checkNotesIni],
  // The loader of Windows needs no environment, and Windows has no relevant limit on open files.
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

/** A check that needs only notes.ini. */
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

async function checkEnvironment(context: DoctorContext): Promise<Finding> {
  const installation = findEnvironment(context);
  const missing = missingEnvironment(installation);
  const needed = requiredEnvironment(installation);
  const { programDirectory } = installation;
  const advice =
    `A program that uses the API must be started with LD_LIBRARY_PATH=${programDirectory} ` +
    `Notes_ExecDirectory=${programDirectory} Directory=${needed['Directory'] ?? ''}, and with both directories and ` +
    `${programDirectory}/res/C in PATH`;
  if (process.env[environmentSetVariable] !== undefined)
    return Promise.resolve(ok('set by the command line itself', advice));
  if (missing.length === 0) return ok('complete');
  // Without the library path nothing loads; the other variables only matter to some functions.
  return missing.includes('LD_LIBRARY_PATH')
    ? failed('ERR_DOMINO_ENVIRONMENT', `missing or wrong: ${missing.join(', ')}`, advice)
    : warned('WARN_ENVIRONMENT', `missing or wrong: ${missing.join(', ')}`, advice);
}

function findEnvironment(context: DoctorContext): Installation {
  try {
    return findInstallation(context.options.domino);
  } catch (error) {
    if (isNativeCode(error)) context.runtimeError = error.code;
    throw error;
  }
}

async function checkLibrary(context: DoctorContext): Promise<Finding> {
  const { binding, options, call } = context;
  if (!binding) return skipped('needs the addon');
  // Told already.
  if (context.runtimeError === 'ERR_DOMINO_LIBRARY') return skipped('needs the environment');
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
      'Operations that need these functions are not possible.',
    );
  }
  if (options.domino?.trustProgramDirectory === true) {
    return warned(
      'WARN_PROGRAM_DIRECTORY_UNCHECKED',
      `${found}; it was not checked who can replace it`,
      'Omit --trust-program once: the error names the command that removes this right from ordinary users.',
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
  if (uid === owner) return ok(`user ${uid}, who owns the data directory`);
  return failed(
    'ERR_DOMINO_NOT_SHARED',
    `user ${uid}, but the data directory belongs to user ${owner}: a process of another user may create a Domino ` +
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
        'Backups can only be restored to their own time; to restore to other points in time, switch transaction logging on.',
      );
    case 'archive':
      return ok('archive', 'Archive the log regularly, or it will fill its disk.');
    case 'circular':
    case 'linear':
      return ok(`${style}; databases can be restored to points in time that are still in the log`);
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
  const hiding = catalog.problems.filter(hidesDatabases);
  const aside = hiding.find(({ code }) => code === 'ERR_ORIGINAL_ASIDE');
  const problem = aside ?? hiding[0];
  if (!problem) return ok(found);
  const more = hiding.length > 1 ? ` (and ${hiding.length - 1} more)` : '';
  if (aside) {
    const what = `${found}; ${aside.subject}: ${aside.text}${more}`;
    return failed(
      'ERR_ORIGINAL_ASIDE',
      what,
      'Run "domino-vss recover --dry-run": a journal may still know which one is right.',
    );
  }
  return warned(
    'WARN_LINK_BROKEN',
    `${found}; a link or directory cannot be followed: ${problem.subject}: ${problem.text}${more}`,
    'Repair it, remove it, or exclude it: what it leads to is not in the backup.',
  );
}

/** Descriptors besides those of databases: the runtime's own files, deltas, copies. */
const spareDescriptors = 256;

async function checkDescriptors({ databases }: DoctorContext): Promise<Finding> {
  if (!databases) return skipped('needs the databases');
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const [, soft] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
  if (soft === undefined) return skipped('this system does not report a limit');
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
  const choice = {
    provider: option,
    shadowDirectory,
    deltaDirectory,
    volumes,
    dataDirectory,
    budgetMs: defaultBudgetMs,
  };
  const { provider, directories } = await call.race(chooseShadows(binding, choice, call));
  const { name, reason } = provider;
  // Without a directory of their own, the copies of `rolling` are in the delta directory, which has its own check.
  const ownDirectories = provider.native === 'rolling' && shadowDirectory === undefined ? [] : directories;
  const unwritable = await firstUnwritable(ownDirectories.map(({ path }) => path));
  if (unwritable !== undefined) {
    return failed(
      'ERR_SHADOW_DIRECTORY',
      `provider ${name} (${reason}), but ${unwritable} cannot be written to`,
      'Create a directory for shadows on that file system that this user can write to, and name it as shadowDirectory.',
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

/** Advised free space for deltas, as a share of the databases' size. */
const advisedDeltaShare = 0.02;

async function checkDeltaDirectory({ binding, databases, options }: DoctorContext): Promise<Finding> {
  const { deltaDirectory } = options;
  if (deltaDirectory === undefined) return skipped('none was named');
  const unwritable = await firstUnwritable([deltaDirectory]);
  if (unwritable !== undefined) {
    return failed(
      'ERR_DELTA_DIRECTORY',
      `${unwritable} cannot be written to`,
      'Choose another directory, or give this user write access to it.',
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
      `Have at least ${prettyBytes(advisedBytes)} free: everything that changes during the window is kept there.`,
    );
  }
  const volume = await binding?.inspectVolume(existing);
  if (volume && databases?.volumes.some(({ path }) => path === volume.path)) {
    return warned(
      'WARN_DELTA_VOLUME',
      `${found}, on a volume with databases`,
      'Choose another volume: if this one is lost, both are.',
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
  const where = isInSnapshot ? 'on a volume of the databases' : 'on a different volume from the databases';
  return ok(
    `${directory}, ${where}`,
    'Save its *.nlo files after the databases, never before: they are not part of this backup.',
  );
}

const serverNotResponding = 0x0807;

async function checkCanary({ binding, runtime, options, call }: DoctorContext): Promise<Finding> {
  if (options.canary !== true) return skipped('not requested');
  if (!binding || !runtime) return skipped('needs the library');
  const database = newCanaryName();
  const { serverName, dataDirectory } = runtime;
  await call.race(removeDeadCanaries(dataDirectory));
  const result = await call.race(binding.runCanary({ serverName, database })).catch((error: unknown) => {
    if (isNativeFailure(error) && error.domain === 'domino' && error.status === serverNotResponding) return undefined;
    throw error;
  });
  if (!result) {
    return failed(
      'ERR_DOMINO_NOT_SHARED',
      `no server ${serverName} answers: it is down, or this process has a Domino environment of its own, in which ` +
        'backups record nothing',
      'Start the server; run as the same user, with the same program directory and notes.ini as the server.',
    );
  }
  if (result.recorded) {
    return ok(
      `a write through ${runtime.serverName || 'the server'} was recorded (${counted(result.changeInfoBytes, 'byte')})`,
    );
  }
  return failed(
    'ERR_DOMINO_NOT_SHARED',
    'a write through the server was NOT recorded: this process does not share memory with the server, and its ' +
      'backups would be inconsistent without any error',
    'Run as the same user, with the same program directory and notes.ini as the server.',
  );
}
