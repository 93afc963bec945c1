import type { Alias } from '../domino/aliases';
import type { DatabaseChanges } from '../domino/databases';
import type { Notice } from '../domino/notice';
import type { DatabaseFailure } from '../errors/errors';
import type { Warning } from '../errors/warnings';
import type { Phase } from '../native/failure';
import type { NativeWriter, ShadowAttribute, VssBackupType, VssContext, WriterState } from '../native/vss';

/** The form of a manifest; corresponds exactly to `schema/manifest-1.json`. The modules that make backups supply the contents. */

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
  /** Time at which the first `NSFBackupStart` was called. */
  readonly beginMs: number;
  /** Freeze window: from there until the last `NSFBackupStop` returned; 0 if no database took part. */
  readonly windowMs: number;
  /**
   * From the return of the first `NSFBackupStart` to the return of the last one: how far apart the databases' points in time are.
   */
  readonly skewMs: number;
  /** Time for making the shadow. */
  readonly shadowMs: number;
  /** Longest time one database spent between its own start and stop. */
  readonly longestDatabaseMs: number;
  readonly phases: readonly PhaseTiming[];
  /** Number of databases that were in backup mode at any time during each of 64 equal slices of the window. */
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
   * Directory in which the shadow could be read when it was made. VSS may later change its device number: look it up by its id.
   */
  readonly root: string;
  /** Whether the shadow was kept when the backup ended. */
  readonly kept: boolean;
  /** Drive, directory, share or link where a kept shadow is exposed; absent if it is not exposed. */
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
    /** Why it did not take part; empty if it did. */
    readonly excluded: NativeWriter['excluded'];
    /** Its metadata document, relative to the directory of the backup; empty for none. */
    readonly document: string;
  }[];
}

/** A window after the first one. Its shadows are among the volumes of the manifest. */
export interface ManifestWindow {
  /** The first window of a backup has the number 1. The change information is in the directory `window-<number>`. */
  readonly number: number;
  /** Its end; ISO 8601, UTC. */
  readonly created: string;
  /** Number of databases that it captured. */
  readonly databases: number;
  readonly timeAfterLastStart: ManifestHead['timeAfterLastStart'];
  readonly window: WindowFigures;
  /** Its snapshot set, if VSS made it. */
  readonly vss?: ManifestVss;
}

/** How a backup compares with the last one of the same data directory in its delta directory. */
export interface ManifestContinuity {
  /** Id of the backup it was compared with; null for none. */
  readonly comparedWith: string | null;
  /** Databases in that backup that no longer exist; they are among the failures. */
  readonly vanished: readonly string[];
  /** Databases that an earlier backup contains and this one does not, although they exist. */
  readonly lost: readonly string[];
  /** Databases that are neither in this backup nor, as far as is known, in any earlier one. */
  readonly neverCaptured: readonly string[];
  /** Databases that differ from those in the last backup: by replica id, by instance id, or only by file. */
  readonly replaced: readonly {
    readonly database: string;
    readonly changed: readonly ('replica id' | 'instance id' | 'file')[];
  }[];
}

/**
 * Why an incremental backup captured a database. `new`: the backup that it builds on does not contain it. `replaced`: another
 * file or another replica id. `instance-id`: another DBIID or another transaction log, or logging was switched on or off.
 * `changed`: unlogged, and changed since then, or possibly changed. `log`: logged, and no archive of the transaction log is known
 * to cover it. `source`: the earlier backup's copy or shadow of it no longer exists. `unknown`: the server did not answer.
 * `moment`: nothing had to be captured, but a backup needs a point in time.
 */
export type TakenReason = 'new' | 'replaced' | 'instance-id' | 'changed' | 'log' | 'source' | 'unknown' | 'moment';

/** A backup that an incremental one builds on. */
export interface ManifestLink {
  readonly id: string;
  /** Copied from its manifest, so that a different backup with the same id is noticed. */
  readonly databasesSha256: string;
  /** Number of databases carried over from it. */
  readonly databases: number;
}

/** What an incremental backup builds on. */
export interface ManifestIncremental {
  /** Id of the backup that it was compared with; null if there was none, so that all databases were captured. */
  readonly base: string | null;
  /**
   * Time at which the databases were examined; ISO 8601, UTC. Unlogged databases are carried over in their state at this time.
   */
  readonly examined: string;
  /** The backups that contain the databases carried over. This backup can only be restored while they exist. */
  readonly links: readonly ManifestLink[];
  /** How many databases were to be captured, by reason. */
  readonly taken: Readonly<Partial<Record<TakenReason, number>>>;
}

/** What the hashes of a manifest cover. */
export interface ManifestContents {
  /** Copies: all their bytes; `none` if there are no copies. */
  readonly copies: 'sha256' | 'none';
  /**
   * Kept shadows: all bytes of each database, only its header, or nothing; also `none` if no shadow was kept. It does not hold for
   * the databases in {@link unhashed} and in {@link ManifestHead.failures}.
   */
  readonly shadows: 'sha256' | 'header' | 'none';
  /** Databases of a kept shadow that could not be hashed, with the reason. Their backup counts as good. Absent for none. */
  readonly unhashed?: readonly { readonly database: string; readonly reason: string }[];
}

/** Directory within that of the copies; it contains {@link ManifestServerFiles.files} and nothing else. */
export const serverFilesDirectory = 'server-files';

/**
 * Files other than databases that were copied on request. A restore of databases never touches them: `extractServerFiles` copies
 * them to a separate directory.
 */
export interface ManifestServerFiles {
  readonly files: readonly {
    readonly what: 'notes.ini' | 'ID file';
    /** Absolute path from which it was copied. */
    readonly path: string;
    /** The target of the link at {@link path}, outside its directory; absent if the file was copied from its own path. */
    readonly linkedTo?: string;
    /** Relative to the directory of the copies, with `/`. */
    readonly file: string;
    readonly sizeBytes: number;
    readonly sha256: string;
  }[];
  /**
   * `missing`: no file exists there. `link`: it was only found, not named by notes.ini, and is a link that leads out of its
   * directory. `rebuilt`: the server rebuilds it, and an old one would be wrong.
   */
  readonly notCopied: readonly {
    readonly what: 'notes.ini' | 'ID file' | 'DAOS catalogue' | 'DAOS index';
    readonly path: string;
    readonly reason: 'missing' | 'link' | 'rebuilt';
    /** The target of a link. */
    readonly linkedTo?: string;
  }[];
}

/** The contents of `manifest.json`: everything except the databases. */
export interface ManifestHead {
  readonly formatVersion: 1;
  readonly id: string;
  /** End of the freeze window; ISO 8601, UTC. */
  readonly created: string;
  readonly outcome: 'complete' | 'partial';
  /** `volumes`: plain volumes, without Domino. */
  readonly source: 'domino' | 'offline' | 'volumes';
  /** Empty for plain volumes, like {@link notesIni}. */
  readonly dataDirectory: string;
  readonly notesIni: string;
  /** Name in the ID in use; empty if this process did not use Domino. */
  readonly serverName: string;
  readonly provider: ProviderChoice;
  readonly lifetime: 'backup' | 'persistent';
  /** One per shadow: those of the first window, then those of the others. */
  readonly volumes: readonly ManifestVolume[];
  /** The snapshot set, if VSS made it. */
  readonly vss?: ManifestVss;
  /** Id of the snapshot set of another program, if our writer took part in it; absent otherwise. */
  readonly snapshotSetId?: string;
  /** The server's time right after the last NSFBackupStart; null if no database was in backup mode. */
  readonly timeAfterLastStart: { readonly innards: readonly [string, string]; readonly iso: string } | null;
  readonly window: WindowFigures;
  readonly logStyle: 'circular' | 'archive' | 'linear' | 'none' | 'unknown';
  readonly versions: { readonly package: string; readonly node: string; readonly platform: string };
  readonly counts: {
    readonly databases: number;
    readonly captured: number;
    readonly skipped: number;
    /**
     * For an incremental backup: number of databases that earlier ones contain; absent for none. All other counts exclude them.
     */
    readonly carried?: number;
    readonly logged: number;
    readonly deltas: number;
    readonly startSizeBytes: number;
    readonly deltaBytes: number;
  };
  /** Length of the pieces in which change information was fetched; it is applied in the same pieces. */
  readonly pieceBytes: number;
  readonly failures: readonly DatabaseFailure[];
  readonly changes: DatabaseChanges;
  /** Windows after the first one, for databases that were busy in it; absent if there were none. */
  readonly furtherWindows?: readonly ManifestWindow[];
  /** Absent for plain volumes. */
  readonly continuity?: ManifestContinuity;
  /** Absent if the backup is not incremental. */
  readonly incremental?: ManifestIncremental;
  /** Absent in manifests of plain volumes. */
  readonly contents?: ManifestContents;
  /** Directory of the copies made from the shadow; null for none. */
  readonly copies: { readonly directory: string; readonly databases: number } | null;
  /** Absent if they were not requested. */
  readonly serverFiles?: ManifestServerFiles;
  /** What must be saved in addition to the databases, in this order. */
  readonly alsoSave: readonly { readonly what: string; readonly path: string; readonly when: string }[];
  readonly warnings: readonly Warning[];
  /** Notices about the selection of databases; absent if there are none. */
  readonly notices?: readonly Notice[];
  /** Other names of databases and, with a trailing slash, of directories; absent if there are none. */
  readonly aliases?: readonly Alias[];
  readonly databasesSha256: string;
}

/** A copy of a database that `copyDatabases` made. */
export interface DatabaseCopy {
  /** Relative to the directory of the copies, with `/`. */
  readonly file: string;
  /** Always true: a copy only counts as made once it has its state at NSFBackupStart again. */
  readonly deltaApplied: true;
  /** SHA-256 of the finished copy: `startSizeBytes` bytes, with the change information applied. */
  readonly sha256?: string;
}

/** One captured database: a line of `databases.ndjson`. */
export interface ManifestDatabase {
  /** Index of the database in this backup. */
  readonly index: number;
  /**
   * Id of the earlier backup that contains it: shadow, copy and change information are there, and everything here except
   * {@link index} is copied from its manifest. Absent: this backup.
   */
  readonly from?: string;
  /** Relative to the data directory, with `/`. */
  readonly path: string;
  /** Absolute path of the file, with links resolved. */
  readonly file: string;
  /** Volume and number of the file, according to the system. */
  readonly fileId?: string;
  /** Top directory of the volume. */
  readonly volume: string;
  /** Id of the shadow that contains it. Absent: the shadow of its volume in the first window. */
  readonly shadow?: string;
  /** Path of the file inside that shadow, with `/`. */
  readonly shadowPath: string;
  /** As Domino shows it, without the colon: second half of the TIMEDATE first; 16 hexadecimal digits. */
  readonly replicaId: string;
  /** Whether the database is under transaction logging. */
  readonly logged: boolean;
  /** Database instance id as 32 hexadecimal digits, each half written like a replica id; empty if not logged. */
  readonly dbiid: string;
  /** Id of the transaction log, written like {@link dbiid}; empty if not logged. */
  readonly logId: string;
  /** First log extent that a recovery of this backup needs; read shortly before NSFBackupStart, so it may be too low but not too high. */
  readonly logExtent: number;
  /**
   * When documents, and when anything else, last changed before NSFBackupStart: two times, written like {@link dbiid}. Absent if
   * unknown.
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
  /** Lengths of the pieces of change information, only if they were not all `pieceBytes` long. */
  readonly irregularPieces?: readonly number[];
  /**
   * The change information has been applied to the file in the shadow, which was cut to `startSizeBytes`: it can be used in
   * place. Absent if it has not.
   */
  readonly appliedInShadow?: true;
  /** SHA-256 of the first `startSizeBytes` bytes in the shadow, as they are there; absent if not hashed. */
  readonly sha256?: string;
  /** SHA-256 of the first 4096 bytes in the shadow, or of all if there are fewer; absent if the shadow was not kept. */
  readonly headerSha256?: string;
  readonly copy?: DatabaseCopy;
}
