import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  lstatSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { listBackups, readManifest, recoverInterrupted, verifyBackup, type ManifestDatabase } from '#lib/index';
import { locationFlags, mainScript, RunningProcess, type Ended } from '../command-line';
import { changeJournal, isWhole } from '../../journal-text';
import { randomOf } from '../../random';
import { SimulatedDomino } from '../simulated-domino';
import { buildRecorder, readRecord, readTree, runRecorded, type Operation, type Tree } from './recording';
import { CrashStates, fingerprint, type State } from './states';

/**
 * Kinds of work in which the power is lost; those that make the server's log longer come first. `recover` cleans up after a
 * restore and a backup that were killed before.
 */
export const works = [
  'restore-online',
  'restore-offline',
  'restore-new',
  'recover-restore',
  'backup-copies',
  'backup-kept',
  'recover-backup',
] as const;
export type Work = (typeof works)[number];

export interface SweepResult {
  /** Recorded operations. */
  readonly operations: number;
  /** States that power losses allow, as far as the sweep generates them; some are equal. */
  readonly allowed: number;
  /** Different states that were tried. */
  readonly states: number;
  /** States after which a person has to decide about a database; its original and the journal that names it exist. */
  readonly decided: number;
  readonly violations: readonly string[];
}

/** The record of one piece of work. */
interface Recorded {
  readonly before: Tree;
  readonly operations: readonly Operation[];
  readonly after: Tree;
  readonly roots: readonly string[];
}

/** In memory, because thousands of states are written and synced; the order of operations does not depend on the file system. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** How long ago the files of a state were last changed. Each of their operations counts as a second. */
const anHourAgo = Math.floor(Date.now() / 1000) - 3600;

/**
 * Records what pieces of work do to files, builds every state that a power loss allows, and runs `recover`, `list` and `verify`
 * on each. The databases are not in use: their server went down with the machine.
 */
export class PowerLossSweep implements AsyncDisposable {
  private constructor(
    private readonly domino: SimulatedDomino,
    private readonly workplace: string,
    private readonly backup: string,
    private readonly databases: readonly ManifestDatabase[],
  ) {}

  static async create(): Promise<PowerLossSweep> {
    const domino = await SimulatedDomino.create(
      { databases: 5, pages: [3, 6], unloggedShare: 0.5, plainNames: true },
      memory,
    );
    const workplace = mkdtempSync(join(tmpdir(), 'domino-vss-power-'));
    buildRecorder(join(workplace, 'recorder.so'));
    const server = await domino.serve({ threads: 1, transactionsPerSecond: 300 });
    try {
      const first = new PowerLossSweep(domino, workplace, '', []);
      const made = await first.#run([
        'backup',
        'run',
        ...first.#flags(),
        ...first.#shadows(),
        '--to',
        join(domino.home, 'copies'),
      ]);
      if (made.code !== 0) throw new Error(`no backup to restore from: ${made.stderr}${made.stdout}`);
      const { directory } = JSON.parse(made.stdout) as { directory: string };
      const databases: ManifestDatabase[] = [];
      for await (const database of (await readManifest(directory)).databases()) databases.push(database);
      return new PowerLossSweep(domino, workplace, directory, databases);
    } finally {
      await server.stop();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.domino[Symbol.asyncDispose]();
    rmSync(this.workplace, { recursive: true, force: true });
  }

  /**
   * Tries about this many of the states, chosen by the seed. Half of them are after the end of the work, if there are enough:
   * nothing that was reported may be lost.
   */
  async sweep(work: Work, seed: number, wantedStates: number): Promise<SweepResult> {
    const random = randomOf(seed);
    const recorded = await this.#record(work);
    const states = new CrashStates(recorded.roots, recorded.before, recorded.operations);
    const missed = differences(states.final(), recorded.after);
    if (missed.length > 0) throw new Error(`the record of ${work} is incomplete: ${missed.join(', ')}`);
    const counts = Array.from({ length: states.length + 1 }, (_, after) => {
      return isAmongWrites(recorded.operations, after) ? 0 : states.count(after);
    });
    const ofDone = Math.min(counts.at(-1) ?? 0, wantedStates / 2);
    const ofOthers = counts.slice(0, -1).reduce((sum, count) => sum + count, 0);
    const seen = new Set<string>();
    const violations: string[] = [];
    let decided = 0;
    for (const [after, count] of counts.entries()) {
      if (count === 0) continue;
      const isDone = after === states.length;
      const share = isDone ? ofDone / count : (wantedStates - ofDone) / ofOthers;
      for (const { what, build } of states.after(after, random)) {
        if (random() >= share) continue;
        const state = build();
        const print = `${isDone}${fingerprint(state)}`;
        if (seen.has(print)) continue;
        seen.add(print);
        const found = await this.#check(work, recorded, state, isDone);
        if (found.decided) decided += 1;
        const last = describe(recorded.operations[after - 1]);
        const where = `${work}, power lost after operation ${after} of ${states.length} (${last}), ${what}`;
        violations.push(...found.violations.map((text) => `${where}: ${text}`));
      }
    }
    this.#restoreTree(work.startsWith('recover') ? recorded.after : recorded.before, recorded.roots);
    return {
      operations: states.length,
      allowed: ofOthers + (counts.at(-1) ?? 0),
      states: seen.size,
      decided,
      violations,
    };
  }

  async #record(work: Work): Promise<Recorded> {
    const { home, deltaDirectory, shadowDirectory, simulation } = this.domino;
    const isBackup = work.includes('backup');
    const roots = isBackup
      ? [deltaDirectory, shadowDirectory, join(home, 'swept')]
      : [deltaDirectory, simulation.dataDirectory];
    const file = join(this.workplace, 'record');
    rmSync(file, { force: true });
    if (work === 'recover-backup') await this.#die('backup-copies', 'NSFBackupEnd:4');
    if (work === 'recover-restore') await this.#die('restore-online', 'NSFBringDatabaseOnline');
    if (work.startsWith('recover')) await simulation.restartServerState();
    const before = readTree(roots);
    // The databases change during their backup, so that there is change information.
    const server = work.startsWith('backup')
      ? await this.domino.serve({ threads: 1, transactionsPerSecond: 300 })
      : undefined;
    const recorder = { library: join(this.workplace, 'recorder.so'), root: home, file };
    const ended = await runRecorded([mainScript, ...this.#command(work)], this.#environment(), recorder);
    await server?.stop();
    if (ended.code !== 0) throw new Error(`${work} fails by itself: ${ended.stderr}${ended.stdout}`);
    const after = readTree(roots);
    await simulation.restartServerState();
    return { before, operations: readRecord(file, roots), after, roots };
  }

  async #die(work: Work, call: string): Promise<void> {
    await this.domino.simulation.fault(`${call}=die`);
    const { code, stderr } = await this.#run(this.#command(work));
    await this.domino.simulation.clearFaults();
    if (code !== 137) throw new Error(`${work} does not die in ${call}: ${stderr}`);
  }

  async #check(
    work: Work,
    recorded: Recorded,
    state: State,
    isDone: boolean,
  ): Promise<{ readonly violations: string[]; readonly decided: boolean }> {
    this.#build(state, recorded);
    const { deltaDirectory, location } = this.domino;
    const violations: string[] = [];
    let decided = false;
    let isNew = false;
    if (existsSync(deltaDirectory)) {
      const report = await recoverInterrupted({ deltaDirectory, domino: location });
      for (const { journal, reason } of report.unusable)
        violations.push(`the journal ${journal} cannot be used: ${reason}`);
      const left = report.works.flatMap(({ items }) => items.filter(({ result }) => result === 'left'));
      const undecided = left.filter(
        ({ thing, subject }) => thing === 'database' && existsSync(`${subject}.domino-vss-original`),
      );
      isNew = report.works.some(({ items }) =>
        items.some(({ found }) => found.startsWith('it is new and has changed')),
      );
      decided = undecided.length > 0 || isNew;
      for (const item of left) {
        if (!undecided.includes(item))
          violations.push(`recover leaves ${item.thing} ${item.subject}: ${item.found} ${item.error?.message ?? ''}`);
      }
    }
    violations.push(...(await this.#backupsAreRight(work, recorded, isDone)));
    if (!decided || isNew) violations.push(...this.#leftFiles());
    if (!work.includes('backup')) violations.push(...this.#databasesAreRight(recorded, work, { isDone, decided }));
    return { violations, decided };
  }

  /**
   * Backups that are called complete are complete; after recover, none is damaged or unfinished; one that was reported exists.
   */
  async #backupsAreRight(work: Work, { before, after }: Recorded, isDone: boolean): Promise<string[]> {
    const { deltaDirectory } = this.domino;
    const listed = existsSync(deltaDirectory) ? await listBackups(deltaDirectory) : [];
    const violations: string[] = [];
    for (const backup of listed) {
      if (backup.state !== 'complete') violations.push(`the backup ${backup.id} is listed as ${backup.state}`);
      else if (work.startsWith('backup') && backup.directory !== this.backup) {
        const { outcome, databases } = await verifyBackup({ manifest: backup.directory });
        const wrong = databases.flatMap(({ failures }) => failures).map(({ text }) => text);
        if (outcome !== 'intact')
          violations.push(`the backup ${backup.id} is listed as complete and damaged: ${wrong[0] ?? ''}`);
      }
    }
    const expected = isDone
      ? [before, after].map(backupsOf)[1]
      : backupsOf(before).filter((path) =>
          work.startsWith('re') ? path === join(this.backup, 'manifest.json') : true,
        );
    for (const manifest of expected ?? []) {
      if (!listed.some(({ directory }) => directory === dirname(manifest)))
        violations.push(`${manifest} was there before, or reported, and is gone`);
    }
    return violations;
  }

  /** Anything of ours, anywhere, except finished backups. */
  #leftFiles(): string[] {
    const { home, deltaDirectory, shadowDirectory, simulation } = this.domino;
    const left = (readdirSync(simulation.dataDirectory, { recursive: true }) as string[]).filter((name) =>
      name.includes('domino-vss'),
    );
    const journals = join(deltaDirectory, '.journal');
    if (existsSync(journals)) left.push(...readdirSync(journals).map((name) => join(journals, name)));
    const backups = existsSync(deltaDirectory)
      ? readdirSync(deltaDirectory).filter((name) => !name.startsWith('.'))
      : [];
    const finished = backups.filter((name) => existsSync(join(deltaDirectory, name, 'manifest.json')));
    left.push(...backups.filter((name) => !finished.includes(name)));
    for (const place of [shadowDirectory, join(home, 'swept')]) {
      for (const path of readTree([place]).keys()) {
        // Five meaningless bytes that exist for some milliseconds: docs/reliability.md
        const isProbe = basename(path).startsWith('.domino-vss-probe-');
        if (path !== place && finished.length < 2 && !isProbe) left.push(path);
      }
    }
    return left.map((name) => `left: ${name}`);
  }

  /** Each database is either as it was before or restored; one that was reported as restored is restored. */
  #databasesAreRight(
    { before, after }: Recorded,
    work: Work,
    { isDone, decided }: { readonly isDone: boolean; readonly decided: boolean },
  ): string[] {
    const violations: string[] = [];
    const { dataDirectory } = this.domino.simulation;
    const bytesOf = (tree: Tree, path: string): Buffer | undefined => {
      const entry = tree.get(path);
      return entry?.kind === 'file' ? entry.bytes : undefined;
    };
    const now = readTree([dataDirectory]);
    const paths = new Set(
      [...before.keys(), ...after.keys()].filter((path) => path.endsWith('.nsf') && path.startsWith(dataDirectory)),
    );
    for (const path of paths) {
      const [found, old, restored] = [now, before, after].map((tree) => bytesOf(tree, path));
      const isOld = old === undefined ? found === undefined : found?.equals(old) === true;
      const isRestored = restored !== undefined && found?.equals(restored) === true;
      if (isDone && !work.startsWith('recover') ? isRestored : isOld || isRestored) continue;
      const aside = bytesOf(now, `${path}.domino-vss-original`);
      if (decided && (old === undefined || aside?.equals(old) === true)) continue;
      violations.push(
        `${path} is ${found === undefined ? 'not there' : isOld ? 'as it was before' : 'neither as it was before nor as it was restored'}`,
      );
    }
    return violations;
  }

  #restoreTree(tree: Tree, roots: readonly string[]): void {
    for (const root of roots) rmSync(root, { recursive: true, force: true });
    for (const [path, entry] of tree) {
      if (entry.kind === 'directory') mkdirSync(path, { mode: 0o700 });
      else if (entry.kind === 'link') symlinkSync(entry.target, path);
      else writeFileSync(path, entry.bytes, { mode: 0o600 });
    }
  }

  /**
   * Files get other inodes and times than those recorded, so the journals that name them are updated. A file keeps the recorded
   * time of its last change as long as it has the recorded contents.
   */
  #build(state: State, recorded: Recorded): void {
    for (const root of recorded.roots) rmSync(root, { recursive: true, force: true });
    const inodes = new Map<number, string>();
    const journals: string[] = [];
    for (const [path, entry] of state) {
      if (entry.kind === 'directory') mkdirSync(path, { mode: 0o700 });
      else if (entry.kind === 'link') symlinkSync(entry.target, path);
      else {
        writeFileSync(path, entry.bytes, { mode: 0o600 });
        utimesSync(path, anHourAgo, anHourAgo + entry.version);
        const { dev, ino } = lstatSync(path);
        inodes.set(entry.inode, `${dev}:${ino}`);
        if (path.endsWith('.journal')) journals.push(path);
      }
    }
    for (const journal of journals) {
      const named = /"copy":"\d+:(\d+) (\d+) (\d+)"/g;
      const renamed = (_all: string, inode: string, size: string, modifiedNs: string): string => {
        const [file, version] = versionNamed(recorded, Number(inode), BigInt(modifiedNs));
        return `"copy":"${inodes.get(file) ?? '0:0'} ${size} ${anHourAgo + version}000000000"`;
      };
      // A state of a power loss in which the journal is incomplete stays one.
      if (isWhole(journal)) changeJournal(journal, (lines) => lines.replace(named, renamed));
    }
  }

  #flags(): string[] {
    return [...locationFlags(this.domino), '--delta-dir', this.domino.deltaDirectory, '--json'];
  }

  #shadows(): string[] {
    return ['--shadow-dir', this.domino.shadowDirectory];
  }

  #command(work: Work): string[] {
    switch (work) {
      case 'backup-copies':
        return ['backup', 'run', ...this.#flags(), ...this.#shadows(), '--to', join(this.domino.home, 'swept')];
      case 'backup-kept':
        return ['backup', 'run', ...this.#flags(), ...this.#shadows(), '--keep', '--hash'];
      case 'restore-online':
        return ['restore', this.backup, ...this.#chosen(), '--online', ...this.#flags()];
      case 'restore-offline':
        return ['restore', this.backup, ...this.#chosen(), '--offline', ...this.#flags()];
      case 'restore-new':
        return ['restore', this.backup, ...this.#chosen(), '--as', 'restored/again', ...this.#flags()];
      default:
        return ['recover', ...this.#flags()];
    }
  }

  /** A logged and an unlogged database. */
  #chosen(): string[] {
    const mail = this.databases.filter(({ path }) => path.startsWith('mail/'));
    return [mail.find(({ logged }) => logged), mail.find(({ logged }) => !logged)].flatMap((one) => one?.path ?? []);
  }

  #environment(): Record<string, string> {
    return { ...this.domino.simulation.environment, SIM_ALLOW_ROOT: '1', UV_USE_IO_URING: '0' };
  }

  #run(args: readonly string[]): Promise<Ended> {
    return new RunningProcess(process.execPath, [mainScript, ...args], {
      env: this.#environment(),
      isWatchedHere: true,
    }).ended;
  }
}

/** Which file a journal names, and how many changes of it had been recorded then; -1 for others than it was found with. */
function versionNamed({ before, operations }: Recorded, inodeOfSystem: number, modifiedNs: bigint): [number, number] {
  const creation = operations.find(
    (operation) =>
      operation.type === 'create' &&
      operation.inodeOfSystem === inodeOfSystem &&
      operation.path.endsWith('.domino-vss-restore'),
  );
  if (creation?.type !== 'create') {
    const found = [...before.values()].find((entry) => entry.kind === 'file' && entry.inode === inodeOfSystem);
    return [inodeOfSystem, found?.kind === 'file' && found.modifiedNs === modifiedNs ? 0 : -1];
  }
  // It is named when it is ready, before it is renamed to its place.
  const placed = operations.findIndex(
    ({ type, ...rest }) => type === 'rename' && 'path' in rest && rest.path === creation.path,
  );
  const changes = operations
    .slice(0, placed < 0 ? operations.length : placed)
    .filter(
      (operation) => (operation.type === 'write' || operation.type === 'size') && operation.inode === creation.inode,
    );
  return [creation.inode, changes.length];
}

/** Between two writes to the same file, of which the states after both cover enough: half of them may be lost. */
function isAmongWrites(operations: readonly Operation[], after: number): boolean {
  const [last, next] = [operations[after - 1], operations[after]];
  return last?.type === 'write' && next?.type === 'write' && last.inode === next.inode;
}

function backupsOf(tree: Tree): string[] {
  return [...tree.keys()].filter((path) => path.endsWith('/manifest.json'));
}

function differences(state: State, tree: Tree): string[] {
  const different: string[] = [];
  for (const path of new Set([...state.keys(), ...tree.keys()])) {
    const [one, other] = [state.get(path), tree.get(path)];
    const same =
      one?.kind === other?.kind &&
      (one?.kind !== 'file' || (other?.kind === 'file' && one.bytes.equals(other.bytes))) &&
      (one?.kind !== 'link' || (other?.kind === 'link' && one.target === other.target));
    if (!same) different.push(path);
  }
  return different;
}

function describe(operation: Operation | undefined): string {
  if (!operation) return 'none';
  return 'path' in operation ? `${operation.type} ${operation.path}` : `${operation.type} of inode ${operation.inode}`;
}
