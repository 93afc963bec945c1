/** The phase of a backup or restore in which something happened. */
export type Phase =
  | 'runtime'
  | 'find'
  | 'open'
  | 'prepare'
  | 'start'
  | 'shadow'
  | 'stop'
  | 'drain'
  | 'end'
  | 'restore'
  | 'probe'
  | 'archive';

/** Additional members of a native promise, needed because the call behind it may never return. Test doubles do without them. */
export interface RequestControl {
  /** The Domino or system call in progress, and how long it has been running. */
  present(): { readonly operation: string; readonly subject?: string; readonly elapsedMs: number };
  /** Nobody waits for the request any longer: it no longer keeps the process alive. */
  abandon(): void;
}

/** A pending result of native code. */
export type NativeRequest<T> = Promise<T> & Partial<RequestControl>;

/** One failed call, exactly as native code saw it. */
export interface NativeFailure {
  /** Stable public code, `ERR_…`; the table is in `lib/errors/codes.ts`. */
  readonly code: string;
  readonly phase: Phase;
  /** The function that failed: `NSFBackupStart`, `ioctl(FICLONE)`, `open`, …; empty for a decision of the engine. */
  readonly operation: string;
  /** `domino`: {@link status} is a masked STATUS; `system`: an errno; `com`: an HRESULT; `engine`: no number. */
  readonly domain: 'domino' | 'system' | 'com' | 'engine';
  readonly status: number;
  /** `ERR_BACKUP_ALREADY_IN_PROGRESS`, `EOPNOTSUPP`, … or empty when the number has no known name. */
  readonly statusName: string;
  /** The runtime's own text (OSLoadString, strerror), or ours if the runtime has none. */
  readonly text: string;
  /** The database, file or directory that the call concerned. */
  readonly subject: string;
}
