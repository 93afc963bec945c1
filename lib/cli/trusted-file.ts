import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OptionError } from '../errors/errors';
import { directoryRisk } from '../store/safe-directory';
import type { CommandLineContext } from './context';

/**
 * The real path of a file that determines what an elevated process does, or that it runs. `what` describes the file.
 *
 * @throws {@link OptionError} if anyone except root and the user of this process could change the file; the system error if it
 * cannot be examined.
 */
export async function trustedFile(
  option: string,
  { file, what }: { readonly file: string; readonly what: string },
  { loadBinding }: Pick<CommandLineContext, 'loadBinding'>,
): Promise<string> {
  const path = await realpath(file);
  const { refusal } = await directoryRisk(dirname(path), process.platform === 'win32' ? loadBinding() : {});
  if (refusal !== '') throw new OptionError(option, `${what} is not safe: ${refusal}`);
  if (process.platform === 'win32') return path;
  const { uid, mode } = await stat(path);
  if ((uid !== 0 && uid !== process.geteuid?.()) || (mode & 0o022) !== 0) {
    const remedy = 'chown it to root or to the user who runs the command, and chmod go-w';
    throw new OptionError(option, `others can change ${what} ${path}: ${remedy}`);
  }
  return path;
}

/** The same for a program, which must exist before anything is done. */
export async function trustedProgram(option: string, file: string, context: CommandLineContext): Promise<string> {
  try {
    return await trustedFile(option, { file, what: `the program of --${option}` }, context);
  } catch (error) {
    if (error instanceof OptionError) throw error;
    throw new OptionError(option, `the program of --${option} cannot be run: ${(error as Error).message}`);
  }
}
