// One backup of a volume on a machine with many file specifications: how long the event loop is blocked, and what JavaScript
// does while the whole machine is locked against other shadows, as a line of JSON.
//
//   node report-program.js <delta directory>

import { loadBinding } from '#lib/native/binding';
import { beginBackup } from '#lib/backup/begin-backup';
import type { NativeSession } from '#lib/native/session';
import { answer } from './lines';

const [deltaDirectory = ''] = process.argv.slice(2);

/** Longest time between two turns of the event loop. */
class LoopWatch {
  longestMs = 0;
  #last = performance.now();
  #timer: NodeJS.Immediate | undefined;

  start(): void {
    this.#last = performance.now();
    const turn = (): void => {
      const now = performance.now();
      this.longestMs = Math.max(this.longestMs, now - this.#last);
      this.#last = now;
      this.#timer = setImmediate(turn);
    };
    this.#timer = setImmediate(turn);
  }

  stop(): void {
    clearImmediate(this.#timer);
  }
}

/** What happens between `prepare`, which locks the machine, and `capture`. */
interface Locked {
  /** In total, including the journal. */
  ms: number;
  /** In calls that fetch what the requester has found. */
  reportMs: number;
}

function watchLocked(session: NativeSession, locked: Locked): NativeSession {
  let since: number | undefined;
  return new Proxy(session, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const begin = performance.now();
        if (name === 'capture' && since !== undefined) {
          locked.ms = begin - since;
          since = undefined;
        }
        const result: unknown = Reflect.apply(value, target, args);
        if (String(name).startsWith('vss') && since !== undefined) locked.reportMs += performance.now() - begin;
        if (name !== 'prepare') return result;
        return (result as Promise<void>).then(() => {
          since = performance.now();
        });
      };
    },
  });
}

async function main(): Promise<void> {
  const native = loadBinding();
  const locked = { ms: 0, reportMs: 0 };
  const binding: typeof native = {
    ...native,
    createSession: (options) => watchLocked(native.createSession(options), locked),
  };
  const watch = new LoopWatch();
  // The first backup of a process also loads and compiles code; only the second one counts.
  for (const round of [1, 2]) {
    const backup = await beginBackup(() => binding, {
      source: 'volumes',
      volumes: ['C:'],
      provider: 'vss',
      writers: 'all',
      deltaDirectory,
    });
    try {
      if (round === 2) watch.start();
      locked.reportMs = 0;
      const { vss } = await backup.createShadow();
      await backup.endBackup();
      watch.stop();
      const files = (vss?.writers ?? []).flatMap(({ components }) => components.flatMap((one) => one.files)).length;
      if (round === 2) answer({ files, lateMs: watch.longestMs, lockedMs: locked.ms, reportMs: locked.reportMs });
    } finally {
      await backup.dispose();
    }
  }
}

void main();
