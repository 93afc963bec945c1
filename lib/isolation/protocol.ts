import type { Backup } from '../backup/backup';
import type { Shadow } from '../backup/shadow';
import type { SnapshotSet } from '../backup/snapshot-set';
import type { Warning } from '../errors/warnings';

/** What the process reports in addition to answering calls. */
export type Notice =
  /** It has begun a step that ends by itself after this time. */
  | { readonly type: 'deadline'; readonly timeoutMs: number }
  | { readonly type: 'warning'; readonly message: string; readonly code: string }
  /** State of the backup after the call whose answer comes next. */
  | { readonly type: 'state'; readonly warnings: readonly Warning[]; readonly isOver: boolean };

/** Description of a backup that has begun. */
export type BegunBackup = Pick<
  Backup,
  'id' | 'directory' | 'provider' | 'databases' | 'leftOvers' | 'recovered' | 'warnings'
>;

/** Description of a set; its databases follow in portions. */
export type CreatedSet = Pick<
  SnapshotSet,
  'id' | 'provider' | 'outcome' | 'window' | 'furtherWindows' | 'skipped' | 'changes' | 'databases' | 'vss' | 'created'
> & { readonly shadows: readonly Pick<Shadow, 'id' | 'volume' | 'devicePath' | 'root'>[] };
