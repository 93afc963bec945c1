import fc from 'fast-check';

/** How many databases a case has; every third one is not logged. */
export const databasesOfCase = 4;

/** The time that a restore asks for. Shares are thousandths. */
export type Target =
  | { readonly type: 'now' | 'backup' }
  /** This long before the beginning of the backup, or after the present time. */
  | { readonly type: 'before' | 'future'; readonly ms: number }
  /** Within the window in which databases went into backup mode one after another. */
  | { readonly type: 'window'; readonly share: number }
  /** At or close to the commit of one of the transactions. */
  | { readonly type: 'between'; readonly share: number; readonly offsetMs: number };

/** A restore that is planned first. Numbers of databases and backups are taken modulo the existing ones. */
export interface RestoreOperation {
  readonly type: 'restore';
  readonly backup: number;
  /** One bit for each database. */
  readonly databases: number;
  readonly mode: 'online' | 'offline' | 'new-database' | 'new-replica' | 'directory';
  readonly target: Target;
  readonly withArchive: boolean;
}

/** A backup, while users write this many transactions to each database. */
export interface BackupOperation {
  readonly type: 'backup';
  readonly incremental: boolean;
  readonly during: number;
}

/** What happens to a server, its backups and its log archive. */
export type Operation =
  | { readonly type: 'write'; readonly database: number; readonly transactions: number }
  | BackupOperation
  | RestoreOperation
  | { readonly type: 'archive' | 'prune-logs' }
  | { readonly type: 'prune-backups'; readonly keep: number }
  /** Transactions of others that fill this many extents of the log. */
  | { readonly type: 'fill'; readonly extents: number }
  /** Both give a logged database a new instance id. */
  | { readonly type: 'compact' | 'fixup'; readonly database: number }
  /** A manual restore of the copy that a backup has made of it or of the next database. */
  | { readonly type: 'replace'; readonly database: number; readonly by: 'own' | 'other'; readonly backup: number }
  | { readonly type: 'destroy'; readonly database: number; readonly how: 'garbage' | 'delete' };

/** One case: a backup with a past and a future, and a restore at the end. */
export interface Case {
  readonly past: readonly Operation[];
  readonly backup: BackupOperation;
  readonly future: readonly Operation[];
  readonly restore: RestoreOperation;
}

const database = fc.nat(databasesOfCase - 1);
const share = fc.nat(1000);

const target: fc.Arbitrary<Target> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ type: 'now' as const }) },
  { weight: 3, arbitrary: fc.constant({ type: 'backup' as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('between' as const),
      share,
      offsetMs: fc.constantFrom(0, 10, -10, 5, 1, -1, 30),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('window' as const), share }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('before' as const), ms: fc.constantFrom(1_000, 60_000, 86_400_000) }),
  },
  // Clocks may differ by a minute.
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('future' as const), ms: fc.constantFrom(30_000, 90_000, 86_400_000) }),
  },
);

const restore: fc.Arbitrary<RestoreOperation> = fc.record({
  type: fc.constant('restore' as const),
  backup: fc.nat(3),
  databases: fc.integer({ min: 1, max: 2 ** databasesOfCase - 1 }),
  mode: fc.oneof(
    { weight: 6, arbitrary: fc.constant('online' as const) },
    { weight: 3, arbitrary: fc.constant('new-database' as const) },
    { weight: 1, arbitrary: fc.constantFrom('offline' as const, 'new-replica' as const, 'directory' as const) },
  ),
  target,
  withArchive: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
});

const backup: fc.Arbitrary<BackupOperation> = fc.record({
  type: fc.constant('backup' as const),
  incremental: fc.boolean(),
  during: fc.constantFrom(0, 0, 5, 40),
});

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('write' as const),
      database,
      transactions: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 3, arbitrary: backup },
  { weight: 2, arbitrary: restore },
  { weight: 3, arbitrary: fc.constant({ type: 'archive' as const }) },
  { weight: 1, arbitrary: fc.constant({ type: 'prune-logs' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('prune-backups' as const), keep: fc.integer({ min: 1, max: 2 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('fill' as const), extents: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom('compact' as const, 'compact' as const, 'fixup' as const), database }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('replace' as const),
      database,
      by: fc.constantFrom('own' as const, 'own' as const, 'other' as const),
      backup: fc.nat(3),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('destroy' as const),
      database,
      how: fc.constantFrom('garbage' as const, 'delete' as const),
    }),
  },
);

/** All cases for which the property must hold. */
export const cases: fc.Arbitrary<Case> = fc.record({
  past: fc.array(operation, { maxLength: 6, size: 'max' }),
  backup,
  future: fc.array(operation, { maxLength: 12, size: 'max' }),
  restore,
});
