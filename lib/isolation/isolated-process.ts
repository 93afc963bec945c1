import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { DominoVssError, isDominoVssError, type ProcessError } from '../errors/errors';
import type { Progress, ProgressListener } from '../call/progress';
import { describeEnd, type WorkPlace } from '../store/ended-process';
import { launchSettings } from '../domino/launch';
import { ownProgram } from '../native/package-root';
import { Peer, type Message } from './peer';
import type { Notice } from './protocol';
import { Watch, type Patience } from './watch';

type State = Extract<Notice, { type: 'state' }>;

/** Options of the calls that are watched from here. */
export interface WatchedOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** How long to wait for a killed process to end: a process that waits for a broken device cannot be killed. */
const killedMs = 5_000;

/** A process that holds Domino for this one. When this process ends, it rolls back what it has begun, and ends too. */
export class IsolatedProcess {
  readonly #child: ChildProcess;
  readonly #peer: Peer;
  readonly #watch: Watch;
  readonly #place: WorkPlace;
  /** Names of the running calls, the latest last. */
  readonly #calls: string[] = [];
  #state: State | undefined;
  #hung = false;
  #isFinished = false;
  #end: Promise<ProcessError> | undefined;

  constructor(place: WorkPlace, patience: Patience) {
    this.#place = place;
    const { cwd, env } = launchSettings(place.domino);
    this.#child = fork(ownProgram(join(__dirname, 'child.js')), {
      cwd,
      env: { ...process.env, ...env },
      serialization: 'advanced',
      // Options of this process, for example for a debugger, must not apply to the other one.
      execArgv: [],
      // A session of its own, so that a Ctrl-C on the terminal reaches only this process. On Windows, for the same reason, it has
      // no console. Above all, it outlives this process: Windows puts a process that is not detached into a job that ends
      // together with this process.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#watch = new Watch(patience, () => {
      this.#hung = true;
      this.#kill();
    });
    this.#peer = new Peer((message) => {
      // A broken channel means that the process has ended, which `exit` reports.
      this.#child.send(message, () => undefined);
    });
    this.#child.on('message', (message) => {
      this.#receive(message as Message | Notice);
    });
    this.#child.once('error', () => {
      this.#ended(undefined, '');
    });
    this.#child.once('exit', (code, signal) => {
      this.#ended(code ?? undefined, signal ?? '');
    });
    this.#child.unref();
    this.#child.channel?.unref();
  }

  /** State of the backup after its last call; undefined before a call has ended. */
  get state(): State | undefined {
    return this.#state;
  }

  /** Set when the process has died, so that calls can only fail. */
  get end(): Promise<ProcessError> | undefined {
    return this.#end;
  }

  /** Calls a function in the other process. An abort, and an exception from the listener, reach it; the reason stays here. */
  async call(name: string, { signal, onProgress, ...options }: WatchedOptions, ...more: unknown[]): Promise<unknown> {
    const site: { stack?: string } = {};
    Error.captureStackTrace(site);
    if (this.#end) throw await this.#end;
    const controller = new AbortController();
    const onAbort = (): void => {
      controller.abort(signal?.reason);
    };
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort);
    const listener = onProgress && {
      onProgress: (progress: Progress) => {
        try {
          onProgress(progress);
        } catch (error) {
          controller.abort(error);
        }
      },
    };
    this.#enter(name);
    try {
      return await this.#peer.call(name, [{ ...options, ...listener, signal: controller.signal }, ...more]);
    } catch (error) {
      if (!isDominoVssError(error)) throw error;
      if (error.code === 'ERR_ABORTED' && controller.signal.aborted) error.cause = controller.signal.reason;
      // The error's own frames are from the other process.
      if (error.code !== 'ERR_PROCESS_ENDED') error.stack = `${error.stack ?? ''}\n  called by\n${framesOf(site)}`;
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#leave(name);
    }
  }

  /** Nothing is open in the other process any more, so it may end. The caller need not wait for that. */
  finish(): void {
    this.#isFinished = true;
    // Hooks called by it may still be running, so it decides when to end.
    this.#peer.call('finish', []).catch(() => undefined);
  }

  #enter(name: string): void {
    this.#calls.push(name);
    this.#child.channel?.ref();
    this.#watch.begin();
  }

  #leave(name: string): void {
    this.#calls.splice(this.#calls.lastIndexOf(name), 1);
    if (this.#calls.length > 0) return;
    this.#watch.end();
    this.#child.channel?.unref();
  }

  #receive(message: Message | Notice): void {
    switch (message.type) {
      case 'deadline':
        this.#watch.announced(message.timeoutMs);
        break;
      case 'warning':
        process.emitWarning(message.message, { code: message.code });
        break;
      case 'state':
        this.#state = message;
        break;
      default:
        this.#peer.receive(message);
    }
  }

  #kill(): void {
    this.#child.kill('SIGKILL');
    setTimeout(() => {
      this.#ended(undefined, '');
    }, killedMs).unref();
  }

  #ended(exitCode: number | undefined, signal: string): void {
    if (this.#end) return;
    if (this.#isFinished) {
      this.#peer.end(new DominoVssError('ERR_STATE', { message: 'the process has ended' }));
      return;
    }
    const end = { pid: this.#child.pid ?? 0, exitCode, signal, hung: this.#hung };
    this.#end = describeEnd(this.#calls.at(-1) ?? '', end, this.#place);
    void this.#end.then((error) => {
      this.#peer.end(error);
    });
  }
}

function framesOf({ stack = '' }: { readonly stack?: string }): string {
  return stack.split('\n').slice(1).join('\n');
}
