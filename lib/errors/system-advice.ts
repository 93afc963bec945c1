import type { ErrorCode } from './codes';

/** Advice on an operating system error in a call on a file. */
interface SystemAdvice {
  readonly code: Extract<ErrorCode, 'ERR_FILE_SYSTEM' | 'ERR_NO_SPACE' | 'ERR_OPEN_FILES'>;
  readonly hint: string;
}

const noSpace = (hint: string): SystemAdvice => ({ code: 'ERR_NO_SPACE', hint });
const fileSystem = (hint: string): SystemAdvice => ({ code: 'ERR_FILE_SYSTEM', hint });

const badDevice = fileSystem(
  'The disk, or the connection to it, is failing: look in the log of the system (dmesg, or the event log System), and do ' +
    'not rely on what was written to this file system before it has been checked.',
);
const full = noSpace('Free space on the file system of this file, or choose another directory.');
const readOnly = fileSystem(
  'The file system is mounted read-only: choose another directory. A file system that has become read-only by itself ' +
    'has met an error: look in the log of the system.',
);

/** By the name of the error, on Linux and Windows. Other errors get the advice of their code. */
const byName: Readonly<Record<string, SystemAdvice>> = {
  EIO: badDevice,
  ERROR_CRC: badDevice,
  ERROR_IO_DEVICE: badDevice,
  ERROR_READ_FAULT: badDevice,
  ERROR_WRITE_FAULT: badDevice,
  ENOSPC: full,
  ERROR_DISK_FULL: full,
  ERROR_HANDLE_DISK_FULL: full,
  EDQUOT: noSpace('The quota of this user is used up: have it raised, free space, or choose another directory.'),
  EROFS: readOnly,
  ERROR_WRITE_PROTECT: readOnly,
  ENFILE: fileSystem('The whole machine has run out of open files: raise fs.file-max (sysctl), or end other programs.'),
  ESTALE: fileSystem('The file server has forgotten this file: mount the file system again.'),
};

/** Code and advice for the name of a system error; undefined if the code of the failure says it all. */
export function adviceOnSystemError(name: string): SystemAdvice | undefined {
  if (name === 'EMFILE' || name === 'ERROR_TOO_MANY_OPEN_FILES') return { code: 'ERR_OPEN_FILES', hint: moreFiles() };
  return byName[name];
}

/** Files that a process needs open besides the databases: threads, libraries, logs, the manifest. */
const besidesDatabases = 100;

/** The limit, and what is needed. Must not open a file: at the limit, that would fail. */
function moreFiles(): string {
  const allowed = openFileLimit();
  if (allowed === undefined) return 'End other programs, or back up fewer databases at once (--include).';
  const wanted = 2 ** Math.ceil(Math.log2(allowed + 1));
  return (
    `All ${allowed} files that this process may have open are in use, and at least ${allowed + 1} are needed: one for each ` +
    `database and about ${besidesDatabases} more. Raise the limit, for example ulimit -n ${wanted}, or ` +
    `LimitNOFILE=${wanted} in the systemd unit.`
  );
}

function openFileLimit(): number | undefined {
  if (process.platform === 'win32') return undefined;
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft: number | string } } };
  const soft = Number(report.userLimits?.open_files?.soft);
  return Number.isFinite(soft) ? soft : undefined;
}
