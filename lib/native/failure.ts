/** Where in the life of a backup or restore something happened. */
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

/** What a promise of native code has besides: the call behind it may never return. Stand-ins of tests need none of it. */
export interface RequestControl {
  /** The call of Domino or of the system that is under way, and for how long. */
  present(): { readonly operation: string; readonly subject?: string; readonly elapsedMs: number };
  /** Nobody waits for it any more: it does not keep the process from ending. */
  abandon(): void;
}

/** An answer of native code. */
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
  /** The runtime's own text (OSLoadString, strerror) or ours where the runtime has none. */
  readonly text: string;
  /** The database, file or directory the call was about. */
  readonly subject: string;
}
