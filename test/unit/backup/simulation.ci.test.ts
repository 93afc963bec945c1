import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import { isDominoVssError } from '#lib/errors/errors';
import { recoverInterrupted } from '#lib/recover/recover';
import { restoreDatabases } from '#lib/restore/restore';
import { verifyBackup } from '#lib/restore/verify';
import type { NativeBinding } from '#lib/native/session';
import { failure, FakeDomino } from '../fake-binding';
import { filesOnThisThread } from '../files-on-this-thread';
import { memoryDirectory } from '../../platform';
import { randomOf } from '../../random';

// The facade over a native layer that fails, is late and is interrupted, depending on a seed. Calls on files are late and are
// interrupted too. Time is virtual: being late means that some turns of the event loop come first. All of it happens in one thread,
// so that a seed repeats its schedule. SIMULATION_SEEDS is the number of seeds, SIMULATION_FIRST the first of them.

const seeds = Number(process.env['SIMULATION_SEEDS'] ?? 1000);
const first = Number(process.env['SIMULATION_FIRST'] ?? 1);
const statuses = [0x0103, 0x0ea4, 0x13aa, 0x2dd8, 0x0106, 0x13ea];

/** About the number of native calls and of calls on files in a backup or restore. */
const callsOfStep = 13;
const filesOfStep = 280;

const startedAt = Date.now();

beforeAll(() => {
  // Only the date.
  jest.useFakeTimers({
    doNotFake: [
      'clearImmediate',
      'clearInterval',
      'clearTimeout',
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'setInterval',
      'setTimeout',
    ],
  });
});

afterAll(() => {
  jest.useRealTimers();
});

/** Number of calls, so that a run shows whether it has tried anything. */
const calls = { succeeded: 0, failed: 0 };

/** One schedule. */
class Simulation {
  // In memory, because files are synced thousands of times.
  readonly domino = new FakeDomino(undefined, memoryDirectory);
  readonly violations: string[] = [];
  /** Names of all calls, in order. */
  readonly schedule: string[] = [];
  readonly #random: () => number;
  readonly #before = new Map<string, string>();
  /** Numbers of the native calls that fail. */
  #faults = new Set<number>();
  #onFile: () => unknown = () => undefined;

  constructor(
    seed: number,
    private readonly binding = (domino: FakeDomino): NativeBinding => domino.binding,
  ) {
    this.#random = randomOf(seed);
    for (const path of ['names.nsf', 'mail/ada.nsf', 'mail/bob.nsf', 'apps/crm.nsf']) {
      this.#before.set(path, this.domino.read(path));
      // These are changed while they are in backup mode, so that there is change information.
      if (this.#random() < 0.3) this.domino.unlogged.add(path);
    }
  }

  async run(): Promise<readonly string[]> {
    const { domino } = this;
    const restoreFiles = filesOnThisThread((name) => {
      this.schedule.push(name);
      return this.#onFile();
    });
    try {
      const backups: string[] = [];
      for (let step = 0; step < 3; step += 1) {
        // The names of backups contain the second, and with it their order.
        jest.setSystemTime(startedAt + step * 60_000);
        const faults = this.#random() < 0.5 ? 0 : 1 + this.#below(2);
        this.#faults = new Set(Array.from({ length: faults }, () => 1 + this.#below(callsOfStep)));
        const controller = new AbortController();
        const interrupted = this.#random() < 0.2 ? 1 + this.#below(callsOfStep) : Infinity;
        const interruptedFile = this.#random() < 0.2 ? 1 + this.#below(filesOfStep) : Infinity;
        let number = 0;
        let files = 0;
        domino.onCall = async (name) => {
          number += 1;
          this.schedule.push(name);
          if (number === interrupted) controller.abort();
          await this.#misbehave(name, number);
        };
        this.#onFile = () => {
          files += 1;
          if (files === interruptedFile) controller.abort();
          return this.#late(0.03);
        };
        const restores = backups.length > 0 && this.#random() < 0.4;
        const what = restores
          ? this.#restore(backups[this.#below(backups.length)] ?? '', controller.signal)
          : this.#backUp(controller.signal).then((directory) => directory !== '' && backups.push(directory));
        await what
          .then(() => (calls.succeeded += 1))
          .catch((error: unknown) => {
            calls.failed += 1;
            // A method that is missing in a fake would make all schedules end there.
            if (!isDominoVssError(error) || error.message.includes('is not a function'))
              this.violations.push(`an unexpected error: ${String(error)}`);
          });
        domino.onCall = () => undefined;
        this.#onFile = () => undefined;
        await this.#check(backups);
      }
      return this.violations;
    } finally {
      restoreFiles();
      domino.destroy();
    }
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  async #late(probability: number): Promise<void> {
    const turns = this.#random() < probability ? 1 + this.#below(4) : 0;
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Settles after some turns of the event loop, sometimes with an error. */
  async #misbehave(name: string, number: number): Promise<void> {
    await this.#late(0.3);
    // Calls that clean up do not fail here: what they leave then is reported, and other tests cover it.
    const rights = ['close', 'bringDatabaseOnline', 'endAbandonedBackups', 'inspectVolume'];
    if (!this.#faults.has(number) || rights.includes(name)) return;
    const status = statuses[this.#below(statuses.length)] ?? 0;
    throw failure({ operation: name, domain: 'domino', status, text: 'as the seed says' }) as unknown as Error;
  }

  async #backUp(signal: AbortSignal): Promise<string> {
    const { domino } = this;
    if (this.#random() < 0.5) domino.busy.add('mail/ada.nsf');
    await using backup = await beginBackup(() => this.binding(domino), {
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
      signal,
    });
    const set = await backup.createShadow({ signal });
    if (this.#random() < 0.15) {
      await backup.dispose();
      return '';
    }
    const copies = this.#random() < 0.6;
    if (copies) await set.copyDatabases({ to: join(domino.root, 'copies', backup.id), signal });
    const report = await backup.endBackup({ keep: !copies || this.#random() < 0.5, signal });
    domino.busy.clear();
    for (const [path, text] of this.#before) domino.write(path, text);
    return report.outcome === 'complete' ? report.directory : '';
  }

  async #restore(manifest: string, signal: AbortSignal): Promise<void> {
    const { domino } = this;
    await restoreDatabases(() => this.binding(domino), { manifest, domino: domino.location, signal });
  }

  async #check(backups: readonly string[]): Promise<void> {
    const { domino } = this;
    domino.busy.clear();
    const say = (text: string): unknown => this.violations.push(text);
    if (domino.inBackupMode.size > 0) say(`in backup mode: ${[...domino.inBackupMode].join(', ')}`);
    if (domino.offline.size > 0) say(`offline: ${[...domino.offline].join(', ')}`);
    if (domino.openSessions.size > 0) say(`${domino.openSessions.size} sessions are open`);
    if (domino.locks.size > 0) say('the data directory is locked');
    const found = await recoverInterrupted(() => domino.binding, {
      deltaDirectory: existsSync(domino.deltaDirectory) ? domino.deltaDirectory : undefined,
      domino: domino.location,
    });
    if (found.outcome !== 'nothing') say(`recover finds ${found.works.length} pieces of work`);
    for (const path of this.#before.keys()) {
      if (!existsSync(domino.file(path))) say(`${path} is gone`);
    }
    const left = (readdirSync(domino.dataDirectory, { recursive: true }) as string[]).filter((name) =>
      name.includes('domino-vss'),
    );
    if (left.length > 0) say(`left: ${left.join(', ')}`);
    for (const manifest of backups) {
      const { outcome } = await verifyBackup(() => domino.binding, { manifest }).catch(() => ({
        outcome: 'unreadable',
      }));
      if (outcome !== 'intact') say(`the complete backup ${manifest} is ${outcome}`);
    }
  }
}

async function simulate(seed: number, binding?: (domino: FakeDomino) => NativeBinding): Promise<readonly string[]> {
  return (await new Simulation(seed, binding).run()).map((text) => `SIMULATION_FIRST=${seed}: ${text}`);
}

test(`whatever is late, fails or is interrupted, nothing stays behind: ${seeds} seeds from ${first}`, async () => {
  const violations: string[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) violations.push(...(await simulate(seed)));
  process.stdout.write(`${seeds} seeds, ${calls.succeeded} calls succeeded, ${calls.failed} failed\n`);
  expect(violations).toEqual([]);
  expect(calls.succeeded).toBeGreaterThan(seeds / 2);
  expect(calls.failed).toBeGreaterThan(seeds / 4);
}, 3_600_000);

test('a seed repeats its schedule', async () => {
  let calls = 0;
  for (let seed = first; seed < first + 10; seed += 1) {
    const [one, again] = [new Simulation(seed), new Simulation(seed)];
    await one.run();
    await again.run();
    expect(again.schedule).toEqual(one.schedule);
    calls += one.schedule.length;
  }
  expect(calls).toBeGreaterThan(10 * 100);
});

test('a native layer that leaves one database in backup mode is detected', async () => {
  const forgetful = (domino: FakeDomino): NativeBinding => ({
    ...domino.binding,
    createSession: (options) => {
      const session = domino.binding.createSession(options);
      const close = session.close.bind(session);
      session.close = async (closing) => {
        await close(closing);
        domino.inBackupMode.add('mail/bob.nsf');
      };
      return session;
    },
  });
  const violations: string[] = [];
  for (let seed = first; seed < first + 5; seed += 1) violations.push(...(await simulate(seed, forgetful)));
  expect(violations.some((text) => text.includes('in backup mode: mail/bob.nsf'))).toBe(true);
});
