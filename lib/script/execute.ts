import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';
import { AbortError, FileSystemError } from '../errors/errors';
import { environmentVariable } from './aliases';

/**
 * Runs a script file with the Windows command interpreter and waits for its end. Its output is passed on immediately. An abort
 * ends the interpreter; programs that it started may continue, as after Ctrl-C.
 */
export async function execute(options: {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** Default: cmd.exe on the search path. */
  readonly interpreter?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onOutput: (text: string) => void;
}): Promise<number> {
  const { file, env, workingDirectory, interpreter = 'cmd.exe', signal, onOutput } = options;
  // Quoted here: cmd removes the outer pair of quotation marks and takes everything inside literally.
  const child = spawn(interpreter, ['/d', '/s', '/c', `""${file}""`], {
    cwd: workingDirectory,
    env,
    stdio: ['inherit', 'pipe', 'pipe'],
    windowsVerbatimArguments: true,
    signal,
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', onOutput);
  }
  try {
    const [exitCode] = (await once(child, 'close')) as [number | null];
    return exitCode ?? 1;
  } catch (error) {
    if (signal?.aborted) throw new AbortError(signal.reason);
    throw error;
  }
}

/**
 * The absolute path of a script file. Like the command interpreter, it searches for a bare name in the working directory and then
 * along PATH.
 */
export async function findProgram(
  file: string,
  where: { readonly workingDirectory: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<string> {
  const path = environmentVariable(where.env, 'PATH') ?? '';
  const directories = path.split(delimiter).filter((directory) => directory !== '');
  const isBare = !/[\\/:]/.test(file);
  const places = [where.workingDirectory, ...(isBare ? directories : [])].map((directory) => resolve(directory, file));
  for (const place of places) {
    const isThere = await access(place).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  const message = isBare
    ? `there is no ${file} in ${where.workingDirectory} or along PATH`
    : `there is no file ${places[0] ?? file}`;
  const hint = 'Name the script file by its full path.';
  throw new FileSystemError('ERR_FILE_SYSTEM', { path: file }, { message, hint });
}
