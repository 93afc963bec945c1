import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { AbortError } from '../errors/errors';

/**
 * Runs a script file by the command interpreter of Windows and waits for its end. What it prints is passed on as it
 * comes. An abort ends the interpreter; what that has started may go on, as after Ctrl-C.
 */
export async function execute(options: {
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly signal?: AbortSignal | undefined;
  readonly onOutput: (text: string) => void;
}): Promise<number> {
  const { file, env, workingDirectory, signal, onOutput } = options;
  // Quoted by our own hand: cmd strips the outer pair and takes everything inside as it stands.
  const child = spawn(env['ComSpec'] ?? env['COMSPEC'] ?? 'cmd.exe', ['/d', '/s', '/c', `""${file}""`], {
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
