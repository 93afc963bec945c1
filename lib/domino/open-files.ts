import { readdir } from 'node:fs/promises';
import { readFile } from '../call/files';
import { FileSystemError } from '../errors/errors';

/** How many files a process may open, and how many it has open; undefined if the system has no such limit. */
export interface OpenFiles {
  readonly allowed: number;
  readonly open: number;
}

/** Reads what the kernel reports. Node.js raises the soft limit to the hard one when it starts. */
export async function readOpenFiles(process = '/proc/self'): Promise<OpenFiles | undefined> {
  const limits = await readFile(`${process}/limits`, 'utf8').catch(() => '');
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  if (soft === undefined) return undefined;
  const open = await readdir(`${process}/fd`).catch(() => []);
  return { allowed: Number(soft), open: open.length };
}

/**
 * Throws unless this many more files can be opened: Domino holds a descriptor for each open database, and a backup has all of
 * them open at once.
 */
export async function requireOpenFiles(more: number, read = readOpenFiles): Promise<void> {
  const files = await read();
  if (!files || files.open + more <= files.allowed) return;
  const needed = files.open + more;
  throw new FileSystemError(
    'ERR_OPEN_FILES',
    {},
    {
      message: `${needed} open files are needed at once, ${files.allowed} are allowed`,
      hint: `Raise the limit: ulimit -n ${needed}, or LimitNOFILE=${needed} in the systemd unit.`,
    },
  );
}
