import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { FileSystemError, toPublicError } from '../errors/errors';

// Windows does not have this flag.
const noLink = (constants.O_NOFOLLOW as number | undefined) ?? 0;
const noWait = (constants.O_NONBLOCK as number | undefined) ?? 0;

/**
 * Opens a file for appending: readable by its owner only, and never through a link at its path, because an elevated process may
 * write it. Returns its descriptor.
 *
 * @throws {@link FileSystemError}, also for a directory: Windows would open it, and then refuse every write.
 */
export function openLog(file: string): number {
  try {
    const log = openSync(file, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | noLink | noWait, 0o600);
    if (!fstatSync(log).isDirectory()) return log;
    closeSync(log);
    const message = `EISDIR: illegal operation on a directory, open '${file}'`;
    throw Object.assign(new Error(message), { code: 'EISDIR', syscall: 'open', path: file });
  } catch (cause) {
    const { code, hint, message } = toPublicError(cause);
    const reason = message.replace(/, open '.*'$/, '');
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FileSystemError(
      code,
      { path: file, cause },
      {
        message: `the log file ${file} (--log) cannot be opened: ${reason}`,
        hint: isMissing ? 'Create its directory, or name another file.' : hint,
      },
    );
  }
}
