import type { Backup } from '../backup/backup';
import type { Shadow } from '../backup/shadow';
import type { SnapshotSet } from '../backup/snapshot-set';
import type { Warning } from '../errors/warnings';

/** What the process says beside the answers to calls. */
export type Notice =
  /** It has begun a step that ends by itself after that time. */
  | { readonly type: 'deadline'; readonly timeoutMs: number }
  | { readonly type: 'warning'; readonly message: string; readonly code: string }
  /** What has become of the backup by the call whose answer comes next. */
  | { readonly type: 'state'; readonly warnings: readonly Warning[]; readonly isOver: boolean };

/** What is told of a backup that has begun. */
export type BegunBackup = Pick<
  Backup,
  'id' | 'directory' | 'provider' | 'databases' | 'leftOvers' | 'recovered' | 'warnings'
>;

/** What is told of a set; its databases follow in portions. */
export type CreatedSet = Pick<
  SnapshotSet,
  'id' | 'provider' | 'outcome' | 'window' | 'furtherWindows' | 'skipped' | 'changes' | 'databases' | 'vss' | 'created'
> & { readonly shadows: readonly Pick<Shadow, 'id' | 'volume' | 'devicePath' | 'root'>[] };
