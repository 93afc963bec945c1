import type { Alias } from '../domino/aliases';
import type { DatabaseChanges } from '../domino/databases';
import type { Notice } from '../domino/notice';
import type { DatabaseFailure } from '../errors/errors';
import type { Warning } from '../errors/warnings';
import type { Phase } from '../native/failure';
import type { NativeWriter, ShadowAttribute, VssBackupType, VssContext, WriterState } from '../native/vss';

/** What a backup writes down: one to one with `schema/manifest-1.json`. Those who make backups fill it. */

/** The provider of a backup, and why it was chosen. */
export interface ProviderChoice {
  /** `vss`, `btrfs`, `reflink`, `rolling`, or the name of the hook. */
  readonly name: string;
  readonly reason: string;
}

/** One phase of a backup. Times are milliseconds after {@link Timeline.originNs}. */
export interface PhaseTiming {
  readonly phase: Phase;
  readonly beginMs: number;
  readonly endMs: number;
}

/** Figures of the freeze window, measured in native code. Times are milliseconds after the origin of the timeline. */
export interface WindowFigures {
  /** When the first `NSFBackupStart` was called. */
  readonly beginMs: number;
  /** Freeze window: from there until the last `NSFBackupStop` returned; 0 when no database took part. */
  readonly windowMs: number;
  /** First `NSFBackupStart` returned until the last one returned: how far apart the databases' points in time are. */
  readonly skewMs: number;
  /** Duration of making the shadow. */
  readonly shadowMs: number;
  /** Longest time one database spent between its own start and stop. */
  readonly longestDatabaseMs: number;
  readonly phases: readonly PhaseTiming[];
  /** How many databases were in backup mode at some time of each of 64 equal slices of the window. */
  readonly density: readonly number[];
}

/** One volume of a backup and its shadow. */
export interface ManifestVolume {
  /** Id of the shadow. */
  readonly id: string;
  /** Top directory of the volume or subvolume. */
  readonly path: string;
  readonly device: string;
  readonly fileSystem: string;
  /**
   * Where the shadow could be read when it was made. VSS may later give its device a different number: find it by its id.
   */
  readonly root: string;
  /** Whether the shadow was kept when the backup ended. */
  readonly kept: boolean;
  /** Drive, directory, share or link where a kept shadow is exposed; absent when it is not. */
  readonly exposedAs?: string;
}

/** What a manifest says about a VSS snapshot set. */
export interface ManifestVss {
  /** Id of the snapshot set. */
  readonly setId: string;
  readonly context: VssContext;
  /** Kind of backup announced to the writers. */
  readonly backupType: VssBackupType;
  readonly providerId: string;
  /** Attributes of the shadows. */
  readonly attributes: readonly ShadowAttribute[];
  /** Backup Components Document, relative to the directory of the backup; empty for none. */
  readonly componentsDocument: string;
  /** Writers of the machine; none in contexts without writers. */
  readonly writers: readonly {
    readonly name: string;
    /** Class id. */
    readonly id: string;
    readonly instanceId: string;
    readonly state: WriterState;
    /** Name and number of its failure; empty for none. */
    readonly failure: string;
    /** Why it took no part; empty for one that did. */
    readonly excluded: NativeWriter['excluded'];
    /** Its metadata document, relative to the directory of the backup; empty for none. */
    readonly document: string;
  }[];
}

/** A window after the first one. Its shadows are among the volumes of the manifest. */
export interface ManifestWindow {
  /** The first window of a backup is 1. The change information lies in the directory `window-<number>`. */
  readonly number: number;
  /** Its end, ISO 8601, UTC. */
  readonly created: string;
  /** How many databases it has captured. */
  readonly databases: number;
  readonly timeAfterLastStart: ManifestHead['timeAfterLastStart'];
  readonly window: WindowFigures;
  /** Its snapshot set, when that was made by VSS. */
  readonly vss?: ManifestVss;
}

/** How a backup compares with the last one of the same data directory in its delta directory. */
export interface ManifestContinuity {
  /** Id of the backup it was compared with; null for none. */
  readonly comparedWith: string | null;
  /** Databases that it has and that no longer exist; they are among the failures. */
  readonly vanished: readonly string[];
  /** Databases that an earlier backup has and this one does not, although they exist. */
  readonly lost: readonly string[];
  /** Databases that are neither in this backup nor, as far as known, in any earlier one. */
  readonly neverCaptured: readonly string[];
  /** Databases that are another one than before: by replica id, by instance id, or only by their file. */
  readonly replaced: readonly {
    readonly database: string;
    readonly changed: readonly ('replica id' | 'instance id' | 'file')[];
  }[];
}

/**
 * Why an incremental backup has taken a database. `new`: the backup that it builds on does not have it. `replaced`: another file or
 * another replica id. `instance-id`: another DBIID or another transaction log, or logging was switched on or off. `changed`: unlogged,
 * and changed since or possibly changed. `log`: logged, and no archive of the transaction log is known to cover it. `source`: the
 * earlier backup's copy or shadow of it no longer exists. `unknown`: the server did not say. `moment`: nothing had to be taken, but a
 * backup needs a point in time.
 */
export type TakenReason = 'new' | 'replaced' | 'instance-id' | 'changed' | 'log' | 'source' | 'unknown' | 'moment';

/** A backup that an incremental one builds on. */
export interface ManifestLink {
  readonly id: string;
  /** As in its manifest, so that a different backup with the same id is noticed. */
  readonly databasesSha256: string;
  /** Number of databases carried over from it. */
  readonly databases: number;
}

/** What an incremental backup builds on. */
export interface ManifestIncremental {
  /** Id of the backup that it was compared with; null when there was none, so that everything was taken. */
  readonly base: string | null;
  /** When the databases were examined, ISO 8601, UTC: those without logging are carried over as they were then. */
  readonly examined: string;
  /** The backups that hold databases which were carried over. It can be restored only as long as they are there. */
  readonly links: readonly ManifestLink[];
  /** How many databases were to be taken, by why. */
  readonly taken: Readonly<Partial<Record<TakenReason, number>>>;
}

/** What the hashes of a manifest cover. */
export interface ManifestContents {
  /** Copies: all of their bytes; `none` when there are no copies. */
  readonly copies: 'sha256' | 'none';
  /** Kept shadows: all bytes of each database, only its header, or nothing, also when none was kept. */
  readonly shadows: 'sha256' | 'header' | 'none';
}

/** Directory below that of the copies which holds {@link ManifestServerFiles.files}, and nothing else. */
export const serverFilesDirectory = 'server-files';

/**
 * The files beside the databases that were copied on request. A restore of databases never touches them: `extractServerFiles` hands them
 * out, to a directory of its own.
 */
export interface ManifestServerFiles {
  readonly files: readonly {
    readonly what: 'notes.ini' | 'ID file';
    /** Absolute path that it was copied from. */
    readonly path: string;
    /** Where that link led, out of its directory; absent for a file that was copied from where it is named. */
    readonly linkedTo?: string;
    /** Relative to the directory of the copies, with `/`. */
    readonly file: string;
    readonly sizeBytes: number;
    readonly sha256: string;
  }[];
  /**
   * `missing`: nothing is there. `link`: only found, not named by notes.ini, and a link out of its directory. `rebuilt`: the server makes
   * it anew, and an old one would be wrong.
   */
  readonly notCopied: readonly {
    readonly what: 'notes.ini' | 'ID file' | 'DAOS catalogue' | 'DAOS index';
    readonly path: string;
    readonly reason: 'missing' | 'link' | 'rebuilt';
    /** Where a link leads. */
    readonly linkedTo?: string;
  }[];
}

/** The contents of `manifest.json`: everything but the databases. */
export interface ManifestHead {
  readonly formatVersion: 1;
  readonly id: string;
  /** End of the freeze window, ISO 8601, UTC. */
  readonly created: string;
  readonly outcome: 'complete' | 'partial';
  /** `volumes`: plain volumes, without Domino. */
  readonly source: 'domino' | 'offline' | 'volumes';
  /** Empty for plain volumes, as is {@link notesIni}. */
  readonly dataDirectory: string;
  readonly notesIni: string;
  /** Name of the ID in use; empty when Domino was not running with us. */
  readonly serverName: string;
  readonly provider: ProviderChoice;
  readonly lifetime: 'backup' | 'persistent';
  /** One a shadow: those of the first window, then those of the others. */
  readonly volumes: readonly ManifestVolume[];
  /** The snapshot set, when it was made by VSS. */
  readonly vss?: ManifestVss;
  /** Id of the snapshot set that another program has made, when our writer took part in it; absent otherwise. */
  readonly snapshotSetId?: string;
  /** The server's time right after the last NSFBackupStart; null when no database was in backup mode. */
  readonly timeAfterLastStart: { readonly innards: readonly [string, string]; readonly iso: string } | null;
  readonly window: WindowFigures;
  readonly logStyle: 'circular' | 'archive' | 'linear' | 'none' | 'unknown';
  readonly versions: { readonly package: string; readonly node: string; readonly platform: string };
  readonly counts: {
    readonly databases: number;
    readonly captured: number;
    readonly skipped: number;
    /** Of an incremental backup: databases that an earlier one holds; absent for none. All other counts are without them. */
    readonly carried?: number;
    readonly logged: number;
    readonly deltas: number;
    readonly startSizeBytes: number;
    readonly deltaBytes: number;
  };
  /** Length of the pieces in which change information was fetched; it is applied in the same ones. */
  readonly pieceBytes: number;
  readonly failures: readonly DatabaseFailure[];
  readonly changes: DatabaseChanges;
  /** Windows after the first, for databases that were busy in it; absent when there were none. */
  readonly furtherWindows?: readonly ManifestWindow[];
  /** Absent for plain volumes. */
  readonly continuity?: ManifestContinuity;
  /** Absent where the backup is not incremental. */
  readonly incremental?: ManifestIncremental;
  /** Absent in manifests of plain volumes. */
  readonly contents?: ManifestContents;
  /** Where the copies are that were made from the shadow; null for none. */
  readonly copies: { readonly directory: string; readonly databases: number } | null;
  /** Absent where they were not asked for. */
  readonly serverFiles?: ManifestServerFiles;
  /** What else must be saved beside the databases, in this order. */
  readonly alsoSave: readonly { readonly what: string; readonly path: string; readonly when: string }[];
  readonly warnings: readonly Warning[];
  /** What somebody should know about the choice of databases; absent for nothing. */
  readonly notices?: readonly Notice[];
  /** Other names of databases and, with a slash at their ends, of directories; absent when there are none. */
  readonly aliases?: readonly Alias[];
  readonly databasesSha256: string;
}

/** A copy of a database that `copyDatabases` made. */
export interface DatabaseCopy {
  /** Relative to the directory of the copies, with `/`. */
  readonly file: string;
  /** Always true: copies are given back their state at NSFBackupStart before they count as made. */
  readonly deltaApplied: true;
  /** SHA-256 of the copy as it is delivered: `startSizeBytes` bytes with the change information applied. */
  readonly sha256?: string;
}

/** One captured database: a line of `databases.ndjson`. */
export interface ManifestDatabase {
  /** Number of the database in this backup. */
  readonly index: number;
  /**
   * Id of the earlier backup that holds it: shadow, copy and change information are there, and everything here but {@link index} is what
   * that one has written. Absent: this one.
   */
  readonly from?: string;
  /** Relative to the data directory, with `/`. */
  readonly path: string;
  /** Absolute path of the file, links resolved. */
  readonly file: string;
  /** Volume and number of the file, as the system tells. */
  readonly fileId?: string;
  /** Top directory of the volume. */
  readonly volume: string;
  /** Id of the shadow that holds it; absent: that of the first window of its volume. */
  readonly shadow?: string;
  /** Path of the file inside that shadow, with `/`. */
  readonly shadowPath: string;
  /** As Domino shows it, without the colon: second half of the TIMEDATE first; 16 hexadecimal digits. */
  readonly replicaId: string;
  /** Whether the database is under transaction logging. */
  readonly logged: boolean;
  /** Database instance id as 32 hexadecimal digits, each half like a replica id; empty when not logged. */
  readonly dbiid: string;
  /** Id of the transaction log, written like {@link dbiid}; empty when not logged. */
  readonly logId: string;
  /** First log extent that a recovery of this backup needs; read shortly before NSFBackupStart, so it may be too low but not too high. */
  readonly logExtent: number;
  /**
   * When documents and when anything else was changed last, before NSFBackupStart: two times, written like {@link dbiid}. Absent when
   * it is not known.
   */
  readonly modified?: string;
  /** Size at NSFBackupStart: exactly this many bytes belong to the backup. */
  readonly startSizeBytes: number;
  /** Bytes of change information; 0 = none, and no file. */
  readonly deltaBytes: number;
  /** NSFBackupGetChangeInfoSize. */
  readonly announcedBytes: number;
  /** File with the change information relative to the backup's directory, with `/`; empty for none. */
  readonly delta: string;
  /** SHA-256 of the delta file, hexadecimal; empty for none. */
  readonly deltaSha256: string;
  /** Lengths of the pieces of change information, only where they were not all `pieceBytes` long. */
  readonly irregularPieces?: readonly number[];
  /**
   * The change information has been applied to its file in the shadow, which is cut to `startSizeBytes`: it can be used as it lies.
   * Absent where it has not.
   */
  readonly appliedInShadow?: true;
  /** SHA-256 of its first `startSizeBytes` bytes in the shadow, as they lie there; absent when not hashed. */
  readonly sha256?: string;
  /** SHA-256 of its first 4096 bytes in the shadow, or of all if there are fewer; absent when the shadow was not kept. */
  readonly headerSha256?: string;
  readonly copy?: DatabaseCopy;
}
