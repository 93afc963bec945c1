import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { announceDeadline, type Call } from '../call/call';
import { isDominoVssError, ServiceError } from '../errors/errors';
import { checkOptions, functionValue, nonEmptyString, oneOf } from '../call/options';

/** A Domino server that can be stopped and started, for backups that do not use the backup API. */
export interface DominoService {
  /** For reports and the journal, for example `domino.service`. */
  readonly name: string;
  /**
   * Whether the server runs, and therefore must be stopped and later started again. A server that is shutting down may still
   * write, so in that case this settles only when it has ended or when the signal fires.
   */
  isRunning(options?: { readonly signal: AbortSignal }): Promise<boolean>;
  /** Settles when the server has ended. */
  stop(options: { readonly signal: AbortSignal }): Promise<void>;
  /** Settles when the server has started, as far as the system can tell. */
  start(): Promise<void>;
}

/** How databases become consistent on disk. */
export type BackupMode =
  /** Through the backup API of the running server (the default). */
  | { readonly type: 'backup-api' }
  /** The server is stopped for the snapshot, and started again if it was running. */
  | { readonly type: 'stop-service'; readonly service: DominoService };

export function checkMode(value: unknown, name: string): void {
  const { type, service } = (value ?? {}) as { type?: unknown; service?: unknown };
  const stops = type === 'stop-service';
  checkOptions(value, { type: modeType, ...(stops && { service: checkService }) }, `${name}.`);
  modeType(type, `${name}.type`);
  if (stops) checkService(service, `${name}.service`);
}

const modeType = oneOf('backup-api', 'stop-service');

/** Checks that an option is a service. */
export function checkService(value: unknown, name: string): void {
  // Members may be inherited: the service can be an instance of a class.
  const service = (value ?? {}) as Partial<DominoService>;
  nonEmptyString(service.name, `${name}.name`);
  functionValue(service.isRunning, `${name}.isRunning`);
  functionValue(service.stop, `${name}.stop`);
  functionValue(service.start, `${name}.start`);
}

/** How long a server may take to start. systemd itself gives up after 90 s by default. */
const startBudgetMs = 600_000;

/** The work to do while the service is stopped. */
interface StoppedWork<T> {
  /** Records the name before the service is touched, and an empty name when it has been started again. */
  readonly note: (stoppedService: string) => Promise<void>;
  readonly work: () => Promise<T>;
  /** Called after a failure, before the service is started again. It must not delay the start. */
  readonly giveUp: () => void;
}

/** Stops the service during the work if it is running, and starts it again whatever happens. */
export async function withServiceStopped<T>(
  service: DominoService,
  call: Call,
  { note, work, giveUp }: StoppedWork<T>,
): Promise<T> {
  const ran = await ask(service, 'asked whether it runs', () =>
    call.interruptible((signal) => service.isRunning({ signal })),
  );
  if (!ran) return work();
  await note(service.name);
  let result: T;
  try {
    await ask(service, 'stopped', () => call.interruptible((signal) => service.stop({ signal })));
    result = await work();
  } catch (error) {
    giveUp();
    try {
      await startAgain(service, call);
    } catch (startError) {
      throw serviceError(service, `could not be started again, after: ${messageOf(error)}`, startError);
    }
    await note('');
    throw error;
  }
  await ask(service, 'started again', () => startAgain(service, call));
  await note('');
  return result;
}

/** Also after an abort and after the deadline. */
async function startAgain(service: DominoService, call: Call): Promise<void> {
  // Whoever watches this process must not take it for one that hangs.
  announceDeadline(startBudgetMs);
  await start(service, call, { budgetMs: startBudgetMs, isUrgent: true });
}

/**
 * For a recovery: starts the service if it is not running. A server that does not come up takes half of the time that is left at most,
 * so that there is some for the rest of the work.
 */
export async function startIfStopped(service: DominoService, call: Call): Promise<void> {
  const budgetMs = Math.min(startBudgetMs, Math.ceil(call.remainingMs() / 2));
  const endsAt = performance.now() + budgetMs;
  const isRunning = await ask(service, 'asked whether it runs', () => {
    const controller = new AbortController();
    const { signal } = controller;
    const abandon = (): void => {
      controller.abort();
    };
    const asking = Object.assign(
      Promise.resolve().then(() => service.isRunning({ signal })),
      { abandon },
    );
    return call.bounded(asking, { budgetMs, operation: 'isRunning', subject: service.name });
  });
  if (isRunning) return;
  const restMs = Math.max(1, Math.ceil(endsAt - performance.now()));
  await ask(service, 'started', () => start(service, call, { budgetMs: restMs, isUrgent: false }));
}

/**
 * The time for a start is its own: it begins with the start, and the deadline of the call does not shorten it. An abort ends only the
 * waiting, and nothing does if it is urgent.
 */
function start(
  service: DominoService,
  call: Call,
  { budgetMs, isUrgent }: { readonly budgetMs: number; readonly isUrgent: boolean },
): Promise<void> {
  const starting = Promise.resolve().then(() => service.start());
  // The grace is longer than the budget: if it is urgent, only the budget ends the waiting.
  const graceMs = isUrgent ? 2 * budgetMs : 0;
  return call.bounded(starting, { budgetMs, graceMs, operation: 'start', subject: service.name });
}

async function ask<T>(service: DominoService, what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    // An abort and the deadline are passed on unchanged.
    if (isDominoVssError(cause) && cause.code !== 'ERR_SERVICE') throw cause;
    throw serviceError(service, `could not be ${what}`, cause);
  }
}

function serviceError(service: DominoService, what: string, cause: unknown): ServiceError {
  const { name } = service;
  const message = `${name} ${what}: ${messageOf(cause)}`;
  if (!(cause instanceof ServiceError)) return new ServiceError({ service: name }, { message, cause });
  const { operation, windowsError, windowsErrorName, hint } = cause;
  return new ServiceError({ service: name, operation, windowsError, windowsErrorName }, { message, hint, cause });
}

/** Of an error, or of the record of a call that has been given up. */
function messageOf(error: unknown): string {
  const { message, text } = (error ?? {}) as { readonly message?: string; readonly text?: string };
  return message ?? text ?? String(error);
}

const run = promisify(execFile);
const neverAborted = { signal: new AbortController().signal };

/** A Domino server that runs as a systemd unit, for example `domino.service`. */
export function systemdService(unit: string): DominoService {
  nonEmptyString(unit, 'unit');
  return {
    name: unit,
    async isRunning({ signal } = neverAborted) {
      try {
        await run('systemctl', ['is-active', '--', unit], { signal });
        return true;
      } catch (error) {
        // The exit code of systemctl is the answer. Anything but a number means that it could not be run.
        const { code, stdout = '' } = error as { code?: unknown; stdout?: string };
        if (typeof code !== 'number') throw error;
        const state = stdout.trim();
        // Waits for a stop that someone else has requested.
        if (state === 'deactivating') await run('systemctl', ['stop', '--', unit], { signal });
        return state === 'activating' || state === 'reloading';
      }
    },
    async stop({ signal }) {
      await run('systemctl', ['stop', '--', unit], { signal });
    },
    async start() {
      await run('systemctl', ['start', '--', unit]);
    },
  };
}
