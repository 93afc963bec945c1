/** A stand-in for a Domino server: a data directory of databases, a C API library, and a workload that writes. */

/** Values of `SIM_…` settings; `domino-sim settings` lists them. `null` undoes {@link Simulation.set}. */
export type Settings = Record<string, string | number | boolean | null>;

export interface CreateOptions {
  /** Contains all files of this simulation; {@link Simulation.destroy} removes it. */
  directory: string;
  /** Number of databases below the data directory, not counting linked ones. */
  databases: number;
  /** Smallest and largest size of a database, in pages of 4096 bytes. Default `[4, 64]`; at least 3. */
  pages?: [number, number];
  /** Seed of contents and sizes. Default 1. */
  seed?: number;
  /** Style of the transaction log. Default `'circular'`. */
  log?: 'circular' | 'linear' | 'archive' | 'none';
  /** Share of databases without transaction logging, 0..1. Default 0.2. */
  unloggedShare?: number;
  /** Also a database link, a directory link and a dangling link. Default false. */
  links?: boolean;
  /** Only names like `mail/db000000.nsf`; otherwise names are mixed, with non-ASCII ones among them. Default false. */
  plainNames?: boolean;
  /** Written to notes.ini. As root, `SIM_ALLOW_ROOT=1` is added unless given. */
  settings?: Settings;
}

export interface ServeOptions {
  /** Threads of the workload. Default 2. */
  threads?: number;
  /** Of all threads together; 0 = as fast as possible. Default 0. */
  transactionsPerSecond?: number;
  /** Glob over relative paths: the databases the workload writes to. Default `'*'`. */
  databases?: string;
  /** A second process of the partition writes too. Default false. */
  secondProcess?: boolean;
  /** Starts with the workload paused. Default false. */
  paused?: boolean;
  /** Seed of the choice of databases and transactions. Default 1. */
  seed?: number;
}

export interface ServerStats {
  pid: number;
  databases: number;
  transactions: number;
  /** Transactions that were refused: database offline, replaced, in compact, or a write that failed. */
  refused: number;
  secondProcess?: ServerStats;
}

/** A running server. If the library refuses an operation, the method rejects with an error that has `status`. */
export interface Server {
  readonly pid: number;
  /** Runs exactly that many transactions on one database, even while paused. */
  run(database: string, transactions: number): Promise<void>;
  /**
   * Begins a transaction and writes that many of its pages; the rest follows at {@link Server.release}. Readers of the
   * file see the half-written state; NSFBackupStart waits.
   */
  hold(database: string, pages: number): Promise<void>;
  release(database: string): Promise<void>;
  /** Resolves when no transaction is running. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** `'in-place'`: NSFBackupStart gets 0x13AA for `durationMs` (0: until {@link Server.endCompact}). `'copy'`: new file and DBIID. */
  compact(database: string, options?: { durationMs?: number; style?: 'in-place' | 'copy' }): Promise<void>;
  endCompact(database: string): Promise<void>;
  /** Closes the databases kept open after use; see the setting SIM_SERVER_CACHE. */
  flushCache(): Promise<void>;
  /** Forced fixup: a logged database gets a new DBIID. */
  fixup(database: string): Promise<void>;
  stats(): Promise<ServerStats>;
  /** Stops it normally. */
  stop(): Promise<void>;
  /** Kills it like a crash (SIGKILL). */
  kill(): Promise<void>;
}

export interface InBackup {
  file: string;
  state: 'recording' | 'stopped';
  startBytes: number;
  highWaterMarkBytes: number;
  changeBytes: number;
  /** CLOCK_MONOTONIC. */
  startedNs: number;
  /** The status with which Domino aborted the backup; 0 if it did not. */
  abortedWith: number;
  ownerPid: number;
  ownerAlive: boolean;
}

export interface Accounting {
  /** Processes that ended without NotesTerm. */
  crashedParticipants: number;
  /** Threads that had not called NotesTermThread when their process called NotesTerm. */
  threadsLeft: number;
  leakedDatabaseHandles: number;
  leakedBackupContexts: number;
  leakedApplyContexts: number;
  leakedMemoryHandles: number;
  callsWithoutInitThread: number;
  /** Handles used on a thread other than the one that created them. */
  foreignThreadHandles: number;
  unknownHandles: number;
  backupsCompleted: number;
  backupsAborted: number;
  /** NSFBackupEnd without abort before all change information was read. */
  backupsEndedUndrained: number;
  userWritesFailed: number;
}

export interface SimulationStats {
  serverRunning: boolean;
  /** Number of calls by function name. Functions that were never called are absent. */
  calls: Partial<Record<string, number>>;
  inBackup: InBackup[];
  openDatabases: { file: string; handles: number }[];
  offlineDatabases: number;
  processes: { pid: number; role: 'api' | 'server' | 'writer' }[];
  accounting: Accounting;
  faults: { call: string; glob: string; seen: number; fired: number }[];
}

/** The state of a database file, proved by the workload's own log. */
export interface Verdict {
  file: string;
  /**
   * `consistent`: every byte belongs to one point of the history. `torn`: it does not. `wrong-time`: consistent, but
   * outside the requested time span. `unreadable`: not a database, or missing.
   */
  verdict: 'consistent' | 'torn' | 'wrong-time' | 'unreadable';
  /** An explanation; absent if consistent. */
  problem?: string;
  databaseId?: string;
  replicaId?: string;
  /** DBIID. */
  instanceId?: string;
  isLogged?: boolean;
  /** The file is a copy from backup mode, or was left in it, and has not been opened or recovered yet. */
  hasBackupMarker?: boolean;
  /** Number of the last transaction contained. */
  sequence?: number;
  pages?: number;
  /** 16 hexadecimal digits that identify the last transaction and all before it: equal values mean equal histories. */
  chain?: string;
  /** ISO time of that transaction's commit; absent at sequence 0. */
  committed?: string;
  differingPages?: number;
  firstDifferences?: { page: number; expectedSequence: number; foundSequence: number }[];
}

export interface Simulation {
  readonly programDirectory: string;
  readonly notesIni: string;
  readonly dataDirectory: string;
  /** The directory of the workload's own logs. */
  readonly logDirectory: string;
  /** The environment variables that a process needs when it starts. */
  readonly environment: Readonly<Record<string, string>>;
  /** Relative paths, as the C API names the databases; linked ones included. */
  databases(): string[];
  /** Takes effect immediately in all processes. */
  set(settings: Settings): Promise<void>;
  /** `CALL[:nth[+]][@glob]=0xCODE|hang[:ms]|die[,after]`, e.g. `NSFBackupStart:3@mail/*=0x13AA`. */
  fault(...specifications: string[]): Promise<void>;
  /** Also lets calls continue that hang without a limit. */
  clearFaults(): Promise<void>;
  stats(): Promise<SimulationStats>;
  /** What a restart of the server clears: backups in progress, offline databases, archive marks. */
  restartServerState(): Promise<void>;
  serve(options?: ServeOptions): Promise<Server>;
  /**
   * @param options.betweenNs `[T0, T1]` on the clock of `process.hrtime`: the file must contain everything that ended
   * before T0 and nothing that began after T1.
   */
  verify(
    files: readonly string[],
    options?: { betweenNs?: readonly [bigint | number, bigint | number]; sequence?: number },
  ): Promise<Verdict[]>;
  /** Kills its servers and removes memory and files. */
  destroy(): Promise<void>;
}

/** Creates a data directory. Rejects if the simulator is not built. */
export function createSimulation(options: CreateOptions): Promise<Simulation>;

/** True if the stand-in is built: `npx domino-vss-simulator build`. */
export function isBuilt(): boolean;

/** The stand-in for Domino's program directory: libnotes.so and its files. */
export const programDirectory: string;
