import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import type { Alias } from '#lib/domino/aliases';
import type { Catalog } from '#lib/domino/catalog';
import { libraryName } from '#lib/domino/environment';
import { dateToTimedate } from '#lib/domino/timedate';
import type { NativeVssReport, NativeWriters } from '#lib/native/vss';
import type {
  NativeAbortOutcome,
  NativeBinding,
  NativeDatabases,
  NativeProgress,
  NativeResults,
  NativeRuntime,
  NativeSession,
  NativeSessionOptions,
  NativeSystemLogEntry,
  NativeTexts,
  NativeVolume,
} from '#lib/native/session';
import { AbandonedBackup } from '#lib/native/session';
import type { NativeFailure } from '#lib/native/failure';
import { FakeVss, FakeVssSession } from './fake-vss';

/** A native failure with the fields a test cares about. */
export function failure(partial: Partial<NativeFailure>): NativeFailure {
  return {
    code: 'ERR_DOMINO_CALL',
    phase: 'start',
    operation: '',
    domain: 'engine',
    status: 0,
    statusName: '',
    text: '',
    subject: '',
    ...partial,
  };
}

/** In blocks of two, so that there is more than one. */
function nativeTexts(texts: readonly string[]): NativeTexts {
  const blocks: Uint8Array[] = [];
  for (let at = 0; at < texts.length; at += 2) blocks.push(Buffer.from(texts.slice(at, at + 2).join('\0')));
  return blocks;
}

/** What every database begins with. */
export const signature = '\u001A\0';

/** Returns a function that restores the present value of an environment variable of the process. */
function keepVariable(name: string): () => void {
  const value = process.env[name];
  return () => {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  };
}

/** Throws as native code rejects: with a plain record, not an Error. */
export function fail(partial: Partial<NativeFailure>): never {
  throw failure(partial) as unknown as Error;
}

export const alreadyInProgress = failure({
  operation: 'NSFBackupStart',
  domain: 'domino',
  status: 0x0ea4,
  statusName: 'ERR_BACKUP_ALREADY_IN_PROGRESS',
  text: 'This database is already in backup',
});

/**
 * A binding over a temporary directory, without Domino: databases are plain files, backup mode is a set of names, and the
 * "server" overwrites the first bytes of databases while they are in backup mode. Every member is a field, so a test can replace
 * it; `onCall` sees every asynchronous call and may throw or delay it.
 */
export class FakeDomino {
  serverName = 'CN=ada/O=Acme';
  readonly root: string;
  readonly dataDirectory: string;
  readonly programDirectory: string;
  readonly notesIni: string;
  readonly deltaDirectory: string;
  /** Names of all asynchronous calls so far, in order. */
  readonly calls: string[] = [];
  /** Databases in backup mode, offline, or recovered. */
  readonly inBackupMode = new Set<string>();
  readonly offline = new Set<string>();
  readonly recovered: string[] = [];
  /** Sessions that were created and not closed. */
  readonly openSessions = new Set<FakeSession>();
  /** Databases that the "server" changes during the window. */
  readonly busy = new Set<string>();
  /** Databases that cannot enter backup mode, with the reason. */
  readonly refusing = new Map<string, NativeFailure>();
  readonly unlogged = new Set<string>();
  /** The value of every byte of a database's instance id, if it is not the default. */
  readonly instanceIds = new Map<string, number>();
  /** Whether a backup finds the replica ids of databases when it opens them. */
  sameReplicaIds = false;
  /** The value of every byte of a database's replica id, if it is not the default. */
  readonly replicaIds = new Map<string, number>();
  /**
   * Time at which a database last changed, by path. Default: months before the fake server's time of a backup; unknown if
   * undefined.
   */
  readonly modified = new Map<string, Date | undefined>();
  /** The value of every byte of the transaction log's id. */
  logIdByte = 1;
  /** Files of log extents that are waiting to be archived. */
  extentsToArchive: string[] = [];
  /** Result of the next recovery. */
  lastApplied: readonly [number, number] = [0, 0];
  /** Entries of the system log. */
  readonly logged: NativeSystemLogEntry[] = [];
  /** Locked directories. */
  readonly locks = new Set<string>();
  /** Databases that a dead process has left in backup mode: `ends` if Domino lets us end it, otherwise the reason why not. */
  readonly abandoned = new Map<string, 'ends' | NativeFailure>();
  problems: NativeFailure[] = [];
  aliases: Alias[] = [];
  reflink = true;
  volumes: NativeVolume[] = [];
  /** Set by {@link haveVss}. */
  vss: FakeVss | undefined;
  onCall: (name: string) => unknown = () => undefined;
  #restore: (() => void) | undefined;

  constructor(
    databases: readonly string[] = ['names.nsf', 'mail/ada.nsf', 'mail/bob.nsf', 'apps/crm.nsf'],
    parentDirectory: string = tmpdir(),
  ) {
    this.root = realpathSync(mkdtempSync(join(parentDirectory, 'domino-vss-unit-')));
    this.dataDirectory = join(this.root, 'data');
    this.programDirectory = join(this.root, 'program');
    this.notesIni = join(this.dataDirectory, 'notes.ini');
    this.deltaDirectory = join(this.root, 'delta');
    for (const directory of [this.dataDirectory, this.programDirectory]) mkdirSync(directory);
    writeFileSync(join(this.programDirectory, libraryName), '');
    writeFileSync(this.notesIni, `[Notes]\nDirectory=${this.dataDirectory}\nTRANSLOG_Status=1\nDAOSBasePath=DAOS\n`);
    for (const path of databases) this.write(path, signature + `${path} at first `.repeat(50));
    this.volumes = [this.volume()];
  }

  /** From here on, this is a machine with VSS on which no script has run before. */
  haveVss(): FakeVss {
    this.#restore ??= keepVariable('ProgramData');
    process.env['ProgramData'] = join(this.root, 'ProgramData');
    this.vss = new FakeVss();
    Object.assign(this.binding, { vss: this.vss.native });
    return this.vss;
  }

  get location(): { programDirectory: string; notesIni: string } {
    return { programDirectory: this.programDirectory, notesIni: this.notesIni };
  }

  volume(partial: Partial<NativeVolume> = {}): NativeVolume {
    return {
      path: this.root,
      mountPoint: this.root,
      fileSystem: 'xfs',
      device: '/dev/fake',
      isSubvolume: false,
      freeBytes: 1e9,
      ...partial,
    };
  }

  file(path: string): string {
    return join(this.dataDirectory, path);
  }

  write(path: string, contents: string): void {
    mkdirSync(dirname(this.file(path)), { recursive: true });
    writeFileSync(this.file(path), contents);
  }

  read(path: string): string {
    return readFileSync(this.file(path), 'utf8');
  }

  destroy(): void {
    this.#restore?.();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Results of NSFDbModifiedTime: for documents, and for everything else. */
  modifiedTimes(path: string): number[] {
    const time = this.modified.has(path) ? this.modified.get(path) : new Date(Date.UTC(1996, 0, 1));
    if (!time) return new Array<number>(16).fill(0);
    const bytes = new Uint8Array(Uint32Array.from(dateToTimedate(time)).buffer);
    return [...bytes, ...bytes];
  }

  instanceIdOf(path: string): number[] {
    return new Array<number>(16).fill(this.instanceIds.get(path) ?? 0x11);
  }

  async call(name: string): Promise<void> {
    this.calls.push(name);
    await this.onCall(name);
  }

  /** Contents of the delta directory besides finished backups. */
  remains(): string[] {
    const found: string[] = [];
    const walk = (directory: string): void => {
      if (!existsSync(directory)) return;
      for (const entry of readdirSync(directory, { withFileTypes: true })) {
        if (entry.isDirectory()) walk(join(directory, entry.name));
        else found.push(relative(this.root, join(directory, entry.name)).replaceAll('\\', '/'));
      }
    };
    walk(this.deltaDirectory);
    walk(join(this.root, '.domino-vss'));
    return found.sort();
  }

  catalog(): Catalog {
    const names = (readdirSync(this.dataDirectory, { recursive: true }) as string[])
      .map((path) => path.replaceAll('\\', '/'))
      .sort();
    const paths = names.filter((path) => /\.(nsf|ntf|box)$/.test(path));
    const originals = names.filter((path) => path.endsWith('.domino-vss-original'));
    const stats = paths.map((path) => statSync(this.file(path)));
    return {
      paths,
      files: paths.map((path) => this.file(path)),
      sizeBytes: Float64Array.from(stats, ({ size }) => size),
      allocatedBytes: Float64Array.from(stats, ({ size }) => size),
      aliases: this.aliases,
      modifiedMs: Float64Array.from(stats, ({ mtimeMs }) => mtimeMs),
      volumeIndex: new Uint16Array(paths.length),
      fileIds: stats.map(({ dev, ino }) => `${dev}:${ino}`),
      volumes: this.volumes,
      problems: [
        ...this.problems,
        ...originals.map((path) =>
          failure({
            code: 'ERR_ORIGINAL_ASIDE',
            phase: 'find',
            text: `the original is beside it, as ${path}`,
            subject: this.file(path.replace(/\.domino-vss-original$/, '')),
          }),
        ),
      ],
    };
  }

  #abortAll(): NativeAbortOutcome {
    const sessions = [...this.openSessions];
    for (const session of sessions) session.abort();
    return { abortedSessions: sessions.length, unansweredSessions: 0, stuckDatabases: 0, runtimeHangs: false };
  }

  readonly binding: NativeBinding = {
    leave: () => undefined,
    openRuntime: async (): Promise<NativeRuntime> => {
      await this.call('openRuntime');
      return { ...this.location, dataDirectory: this.dataDirectory, serverName: this.serverName, missingFunctions: [] };
    },
    currentRuntime: () => null,
    transactionLogStyle: async () => {
      await this.call('transactionLogStyle');
      return 'archive';
    },
    beginArchivingLogs: async () => {
      await this.call('beginArchivingLogs');
      return {
        next: async () => {
          await this.call('nextLogToArchive');
          const [file] = this.extentsToArchive;
          const number = Number(/\d+/.exec(basename(file ?? ''))?.[0] ?? 99);
          return {
            waits: file !== undefined,
            logId: new Uint8Array(16).fill(this.logIdByte),
            number,
            file: file ?? '',
          };
        },
        done: async (_logId, number) => {
          await this.call('doneArchivingLog');
          this.extentsToArchive = this.extentsToArchive.filter(
            (file) => Number(/\d+/.exec(basename(file))?.[0]) !== number,
          );
        },
        end: async () => {
          await this.call('endArchivingLogs');
        },
      };
    },
    notesIniValue: () => Promise.resolve(''),
    findDatabases: async () => {
      await this.call('findDatabases');
      const { paths, files, fileIds, aliases, ...rest } = this.catalog();
      return {
        ...rest,
        paths: nativeTexts(paths),
        files: nativeTexts(files),
        fileIds: nativeTexts(fileIds),
        aliases: nativeTexts(aliases.map(({ alias }) => alias)),
        aliasPaths: nativeTexts(aliases.map(({ path }) => path)),
      };
    },
    inspectVolume: async () => {
      await this.call('inspectVolume');
      return this.volume();
    },
    lockDirectory: async (path) => {
      await this.call('lockDirectory');
      if (this.locks.has(path)) return null;
      this.locks.add(path);
      return { release: () => this.locks.delete(path) };
    },
    probeReflink: async () => {
      await this.call('probeReflink');
      return this.reflink;
    },
    createSession: (options) => new FakeSession(this, options),
    applyChangeInfo: async ({ copyFile, deltaFile }) => {
      await this.call('applyChangeInfo');
      // The fake change information consists of the first bytes before the change.
      const file = openSync(copyFile, 'r+');
      writeSync(file, readFileSync(deltaFile), 0, undefined, 0);
      closeSync(file);
    },
    takeDatabaseOffline: async ({ file }) => {
      await this.call('takeDatabaseOffline');
      if (!existsSync(file)) {
        fail({ operation: 'NSFTakeDatabaseOffline', domain: 'domino', status: 0x0103, subject: file });
      }
      if (this.offline.has(file)) {
        fail({ operation: 'NSFTakeDatabaseOffline', domain: 'domino', status: 0x13f9, subject: file });
      }
      this.offline.add(file);
    },
    bringDatabaseOnline: async ({ file }) => {
      await this.call('bringDatabaseOnline');
      this.offline.delete(file);
    },
    recoverDatabases: async ({ files, newDbiid, newReplicaId }) => {
      await this.call('recoverDatabases');
      this.recovered.push(...files);
      for (const path of files.map((file) => relative(this.dataDirectory, file).replaceAll('\\', '/'))) {
        if (newReplicaId) this.replicaIds.set(path, 8);
        if (newDbiid) this.instanceIds.set(path, 0xdd);
      }
      return { lastApplied: this.lastApplied };
    },
    readIdentities: async ({ paths: asked }) => {
      await this.call('readIdentities');
      const ids = (fill: (path: string) => number, bytes: number): Uint8Array =>
        Uint8Array.from(asked.flatMap((path) => Array.from({ length: bytes }, () => fill(path))));
      const gone = (path: string): boolean => !existsSync(isAbsolute(path) ? path : this.file(path));
      const isLogged = (path: string): boolean => !gone(path) && !isAbsolute(path) && !this.unlogged.has(path);
      return {
        replicaId: ids((path) => (gone(path) ? 0 : (this.replicaIds.get(path) ?? 7)), 8),
        logged: Uint8Array.from(asked, (path) => Number(isLogged(path))),
        logId: ids((path) => (isLogged(path) ? this.logIdByte : 0), 16),
        dbiid: Uint8Array.from(
          asked.flatMap((path) => (isLogged(path) ? this.instanceIdOf(path) : new Array<number>(16).fill(0))),
        ),
        modified: Uint8Array.from(asked.flatMap((path) => this.modifiedTimes(path))),
        failures: asked.flatMap((subject, index) => {
          const details = { phase: 'restore', operation: 'NSFDbOpen', domain: 'domino', status: 0x0103 } as const;
          return gone(subject) ? [{ index, failure: failure({ ...details, subject }) }] : [];
        }),
      };
    },
    endAbandonedBackups: async ({ paths }) => {
      await this.call('endAbandonedBackups');
      const failures = paths.flatMap((path, index) => {
        const reason = this.abandoned.get(path);
        return reason === undefined || reason === 'ends' ? [] : [{ index, failure: reason }];
      });
      const states = Uint8Array.from(paths, (path) => {
        const reason = this.abandoned.get(path);
        return reason === undefined
          ? AbandonedBackup.none
          : reason === 'ends'
            ? AbandonedBackup.ended
            : AbandonedBackup.left;
      });
      for (const path of paths) if (this.abandoned.get(path) === 'ends') this.abandoned.delete(path);
      return { states, failures };
    },
    runCanary: async ({ database }) => {
      await this.call('runCanary');
      return { recorded: true, changeInfoBytes: 4096, database };
    },
    writeSystemLog: async (entry) => {
      await this.call('writeSystemLog');
      this.logged.push(entry);
    },
    removeTree: (path) => rm(path, { recursive: true, force: true }),
    removeTreeNow: (path) => {
      rmSync(path, { recursive: true, force: true });
    },
    shutdown: () => this.#abortAll(),
    abortSessions: () => this.#abortAll(),
  };
}

class FakeSession implements NativeSession {
  readonly #domino: FakeDomino;
  readonly #options: NativeSessionOptions;
  readonly #databases: { path: string; file: string; target: string }[] = [];
  readonly #vss: FakeVssSession | undefined;
  readonly #failures = new Map<number, NativeFailure>();
  readonly #startSizes: number[] = [];
  readonly #deltas: number[] = [];
  readonly #times: { start: number; stop: number }[] = [];
  #phase: NativeProgress['phase'] = 'idle';
  #cancelled = false;
  #settleShadow: ((failure: { text: string } | null) => void) | undefined;

  constructor(domino: FakeDomino, options: NativeSessionOptions) {
    this.#domino = domino;
    this.#options = options;
    if (domino.vss && options.vss) {
      this.#vss = new FakeVssSession(domino.vss, options.vss, join(domino.root, 'shadows'));
    }
    domino.openSessions.add(this);
  }

  add(databases: NativeDatabases): void {
    for (const [index, path] of databases.paths.entries()) {
      this.#databases.push({ path, file: databases.files[index]!, target: databases.targets[index]! });
    }
  }

  unlock(): void {
    // Only the sessions of a writer hold a lock.
  }

  async open(): Promise<void> {
    this.#phase = 'open';
    await this.#step('open');
  }

  async prepare(): Promise<void> {
    this.#phase = 'prepare';
    await this.#step('prepare');
    this.#vss?.prepare(this.#options.volumes.length);
    for (const { target } of this.#options.volumes) if (target !== '') mkdirSync(target);
  }

  async capture(): Promise<void> {
    this.#phase = 'start';
    try {
      this.#start();
      await this.#step('capture');
      this.#phase = 'shadow';
      await this.#shadow();
      this.#phase = 'drain';
      this.#stop();
      await this.#step('drain');
    } finally {
      for (const { path } of this.#databases) this.#domino.inBackupMode.delete(path);
    }
  }

  #start(): void {
    for (const [index, { path, file }] of this.#databases.entries()) {
      const refused = this.#domino.refusing.get(path);
      if (refused) this.#failures.set(index, { ...refused, subject: path });
      const contents = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
      this.#startSizes.push(contents.length);
      this.#deltas.push(0);
      this.#times.push({ start: index, stop: 100 + index });
      if (refused) continue;
      this.#domino.inBackupMode.add(path);
      if (!this.#domino.busy.has(path) || this.#options.source === 'offline') continue;
      const old = contents.subarray(0, 16);
      this.#deltas[index] = old.length;
      writeFileSync(join(this.#options.deltaDirectory, `${index}.delta`), old);
      writeFileSync(file, Buffer.concat([Buffer.from(signature + 'X'.repeat(14)), contents.subarray(16)]));
      appendFileSync(file, 'grown during the window');
    }
  }

  async #shadow(): Promise<void> {
    if (this.#options.createShadow) {
      const text = await new Promise<{ text: string } | null>((resolve) => {
        this.#settleShadow = resolve;
        this.#options.createShadow?.(1000);
      });
      if (text) fail({ code: 'ERR_HOOK', phase: 'shadow', text: text.text });
    }
    this.#vss?.commit(this.#domino.dataDirectory);
    for (const { file, target } of this.#databases) {
      if (target === '' || !existsSync(file)) continue;
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(file, target);
    }
  }

  #stop(): void {
    for (const { path } of this.#databases) this.#domino.inBackupMode.delete(path);
  }

  async close(options: Parameters<NativeSession['close']>[0]): Promise<void> {
    await this.#domino.call('close');
    // Idempotent, like the real one.
    if (this.#phase !== 'closed') this.#vss?.close(options);
    this.#end(options.keepShadow);
  }

  /** What happens at the end of the process. */
  abort(): void {
    this.#end(false);
  }

  #end(keepShadow: boolean): void {
    this.#phase = 'closed';
    this.#domino.openSessions.delete(this);
    this.#stop();
    if (keepShadow) return;
    this.#vss?.remove();
    for (const { target } of this.#options.volumes) if (target !== '') rmSync(target, { recursive: true, force: true });
  }

  renewLease(): void {
    // A fake has no lease.
  }

  cancel(): void {
    this.#domino.calls.push('cancel');
    this.#cancelled = true;
  }

  settleShadow(result: { text: string } | null): void {
    this.#settleShadow?.(result);
  }

  progress(): NativeProgress {
    return { phase: this.#phase, done: this.#databases.length, total: this.#databases.length };
  }

  results(): NativeResults {
    const count = this.#databases.length;
    const column = (value: (index: number) => number): Float64Array =>
      Float64Array.from({ length: count }, (_value, index) => value(index));
    const nothing = (index: number): boolean => this.#failures.has(index) || this.#times.length === 0;
    const ids = (size: number): Uint8Array => Uint8Array.from({ length: size * count }, (_value, index) => index % 251);
    return {
      count,
      state: Uint8Array.from({ length: count }, (_value, index) => (nothing(index) ? 3 : 2)),
      shard: new Uint16Array(count),
      startSizeBytes: column((index) => this.#startSizes[index] ?? 0),
      deltaBytes: column((index) => this.#deltas[index] ?? 0),
      announcedBytes: column((index) => this.#deltas[index] ?? 0),
      logged: Uint8Array.from(this.#databases, ({ path }) => (this.#domino.unlogged.has(path) ? 0 : 1)),
      logExtent: new Uint32Array(count).fill(7),
      logId: new Uint8Array(16 * count).fill(this.#domino.logIdByte),
      dbiid: Uint8Array.from(this.#databases.flatMap(({ path }) => this.#domino.instanceIdOf(path))),
      modified: Uint8Array.from(this.#databases.flatMap(({ path }) => this.#domino.modifiedTimes(path))),
      // Different bytes show their order.
      replicaId: this.#domino.sameReplicaIds ? new Uint8Array(8 * count).fill(7) : ids(8),
      startCalledMs: column((index) => (nothing(index) ? NaN : this.#times[index]!.start)),
      startReturnedMs: column((index) => (nothing(index) ? NaN : this.#times[index]!.start + 0.5)),
      stopCalledMs: column((index) => (nothing(index) ? NaN : this.#times[index]!.stop)),
      stopReturnedMs: column((index) => (nothing(index) ? NaN : this.#times[index]!.stop + 0.5)),
      originNs: 1n,
      phases: [
        { phase: 'start', beginMs: 0, endMs: 10 },
        { phase: 'shadow', beginMs: 10, endMs: 90 },
        { phase: 'stop', beginMs: 90, endMs: 104 },
      ],
      afterLastStart: { innards: [0x006cdcc0, 0x852563fc], epochMs: Date.UTC(2026, 0, 2) },
      failures: this.failures(),
      irregularPieces: [],
      pieceBytes: 65536,
      stuck: this.stuck(),
    };
  }

  failures(): NativeResults['failures'] {
    return [...this.#failures].map(([index, reason]) => ({ index, failure: reason }));
  }

  stuck(): NativeResults['stuck'] {
    return [];
  }

  vssReport(): NativeVssReport | null {
    return this.#vss?.report() ?? null;
  }

  vssWriters(): NativeWriters | null {
    return this.#vss?.writers() ?? null;
  }

  vssComponentsDocument(): string {
    return this.#vss?.componentsDocument() ?? '';
  }

  /** Like the real engine: a cancelled call settles with ERR_ABORTED, after the databases have left backup mode. */
  async #step(name: string): Promise<void> {
    await this.#domino.call(name);
    if (this.#cancelled) fail({ code: 'ERR_ABORTED', phase: 'start' });
  }
}

/** Shortens a file, as a damaged disk might. */
export function truncate(file: string, bytes: number): void {
  truncateSync(file, bytes);
}
