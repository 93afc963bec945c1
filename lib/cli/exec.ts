import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SnapshotSet } from '../backup/snapshot-set';
import { announceDeadline } from '../call/call';
import { writeFile } from '../call/files';
import { AbortError, DominoVssError } from '../errors/errors';
import { execute } from '../script/execute';
import type { CommandLineContext } from './context';

/** Time for a program to end by itself after an interrupt. */
const patienceMs = 10_000;
/** Time for its last output. What it has left running on purpose may hold the pipes open for ever. */
const outputMs = 2_000;

/**
 * Runs a program while the shadow exists, to save its contents. Its environment says where everything is. Its output goes to the
 * error output, because standard output is for the report.
 *
 * @throws {@link DominoVssError} `ERR_EXEC` if it ends with an exit code other than 0, or cannot be started.
 */
export async function runOnShadow(
  program: string,
  { set, deltaDirectory }: { readonly set: SnapshotSet; readonly deltaDirectory: string },
  context: CommandLineContext,
): Promise<void> {
  const { signal, stderr } = context;
  // In the directory of the backup, which the journal names: if this process dies, it is removed together with it.
  const directory = join(deltaDirectory, set.id);
  const [names, table] = [join(directory, 'shadow-files'), join(directory, 'shadow-databases.ndjson')];
  try {
    const files = shadowFiles(set);
    await writeFile(names, files.map(({ file }) => `${file}\0`).join(''));
    await writeFile(table, files.map((each) => `${JSON.stringify(each)}\n`).join(''));
    const env = {
      ...context.env,
      DOMINO_VSS_BACKUP_ID: set.id,
      DOMINO_VSS_BACKUP_DIR: directory,
      DOMINO_VSS_SHADOW_ROOTS: set.shadows.map(({ root }) => root).join('\n'),
      DOMINO_VSS_VOLUMES: set.shadows.map(({ volume }) => volume).join('\n'),
      DOMINO_VSS_FILES: names,
      DOMINO_VSS_DATABASES: table,
    };
    // No time limit: no database is in backup mode any more.
    announceDeadline(2 ** 31 - 1);
    const exitCode = await run(program, env, signal, (text) => stderr.write(text));
    if (signal.aborted) throw new AbortError(signal.reason);
    if (exitCode === 0) return;
    const message = `${program} ended with ${typeof exitCode === 'number' ? 'exit code ' : ''}${exitCode}`;
    throw new DominoVssError('ERR_EXEC', {
      message,
      hint: 'See its output. The backup only counts if the program ends with exit code 0.',
    });
  } finally {
    for (const list of [names, table]) await rm(list, { force: true });
  }
}

/** The path of each database in the shadow. */
function shadowFiles(set: SnapshotSet): { readonly path: string; readonly file: string }[] {
  return [...set.describeDatabases()].map(({ path, shadowPath, shadow, volume }) => {
    const found = set.shadows.find((one) => (shadow === undefined ? one.volume === volume : one.id === shadow));
    return { path, file: join(found?.root ?? '', ...shadowPath.split('/')) };
  });
}

/** Returns the exit code, or the signal that ended it. */
async function run(
  program: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  onOutput: (text: string) => void,
): Promise<number | string> {
  if (process.platform === 'win32' && /\.(?:cmd|bat)$/i.test(program)) {
    const present = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
    const workingDirectory = process.cwd();
    return execute({
      file: program,
      env: Object.fromEntries(present) as Record<string, string>,
      workingDirectory,
      signal,
      onOutput,
    });
  }
  // A process group of its own, so that an interrupt also ends what the program has started: nothing else would wait for that.
  const ownGroup = process.platform !== 'win32';
  const child = spawn(program, [], { env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true, detached: ownGroup });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onOutput);
  let timer: NodeJS.Timeout | undefined;
  const end = (how: NodeJS.Signals): void => {
    if (!ownGroup || child.pid === undefined) child.kill(how);
    else endGroup(child.pid, how);
  };
  const interrupt = (): void => {
    end('SIGTERM');
    timer = setTimeout(() => {
      end('SIGKILL');
    }, patienceMs);
  };
  signal.addEventListener('abort', interrupt);
  if (signal.aborted) interrupt();
  try {
    const closed = once(child, 'close').catch(() => undefined);
    const [exitCode, endedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    await Promise.race([closed, delay(outputMs, undefined, { ref: false })]);
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    return exitCode ?? endedBy ?? 1;
  } catch (cause) {
    throw new DominoVssError('ERR_EXEC', {
      message: `${program} cannot be started: ${(cause as Error).message}`,
      cause,
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', interrupt);
  }
}

function endGroup(leader: number, how: NodeJS.Signals): void {
  try {
    process.kill(-leader, how);
  } catch (error) {
    // All of it has already ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
