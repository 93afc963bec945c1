import { setTimeout as delay } from 'node:timers/promises';
import { DominoVssError, isNativeFailure, runOnWindows, ServiceError, toPublicError } from '../errors/errors';
import type { NativeBinding, NativeServices, NativeServiceStatus } from '../native/session';
import type { NativeFailure } from '../native/failure';
import { nonEmptyString } from '../call/options';
import type { DominoService } from './service';

/** Values of SERVICE_STOPPED and SERVICE_STOP_PENDING, and names of all states for messages. */
const stopped = 1;
const stopPending = 3;
const stateNames = [
  'in no state',
  'stopped',
  'starting',
  'stopping',
  'running',
  'about to continue',
  'about to pause',
  'paused',
];
/** Transitional states. */
const pending: ReadonlySet<number> = new Set([2, stopPending, 5, 6]);

/** ERROR_DEPENDENT_SERVICES_RUNNING, ERROR_SERVICE_ALREADY_RUNNING, ERROR_SERVICE_NOT_ACTIVE, …_SPECIFIC_ERROR. */
const dependentServicesRunning = 1051;
const alreadyRunning = 1056;
const notActive = 1062;
const specificError = 1066;

/** How long to wait for a service. */
interface Patience {
  /** A service announces in its wait hint how long it may show no progress; it always gets at least this long. */
  readonly withoutProgressMs: number;
  /** Limit if the caller has no deadline: for a start, and for a query without a signal. */
  readonly altogetherMs: number;
}

/** The wait hint of Domino is not known, and to give up on a server halfway through its shutdown is worse than to wait. */
const usualPatience: Patience = { withoutProgressMs: 300_000, altogetherMs: 900_000 };

export function windowsService(
  loadBinding: () => NativeBinding,
  name: string,
  patience = usualPatience,
): DominoService {
  nonEmptyString(name, 'serviceName');
  const awaitState = (isReached: (state: number) => boolean, signal: AbortSignal): Promise<NativeServiceStatus> =>
    waitUntil(isReached, { services: manager(loadBinding, name), name, signal, patience });
  return {
    name,
    async isRunning({ signal } = { signal: AbortSignal.timeout(patience.altogetherMs) }) {
      // A stopping service may still write, and a service that someone else is stopping must not be started again by us.
      const { state } = await awaitState((now) => now !== stopPending, signal);
      return state !== stopped;
    },
    async stop({ signal }) {
      // A service that is starting accepts no requests.
      const { state } = await awaitState((now) => !pending.has(now), signal);
      if (state === stopped) return;
      await requestStop(manager(loadBinding, name), name);
      await awaitState((now) => now === stopped, signal);
    },
    async start() {
      const signal = AbortSignal.timeout(patience.altogetherMs);
      // It may still be stopping, if the stop was given up.
      const { state } = await awaitState((now) => !pending.has(now), signal);
      if (state !== stopped) return;
      const starting = manager(loadBinding, name).requestStart(name);
      await starting.catch((thrown: unknown) => {
        if (!isError(thrown, alreadyRunning)) throw toPublicError(thrown);
      });
      const ended = await awaitState((now) => !pending.has(now), signal);
      if (ended.state === stopped) throw endedError(name, ended);
    },
  };
}

function manager(loadBinding: () => NativeBinding, name: string): NativeServices {
  const { services } = loadBinding();
  if (services) return services;
  const message = `${name} cannot be asked: services of Windows exist on Windows only`;
  throw new DominoVssError('ERR_UNSUPPORTED', { message, hint: runOnWindows, phase: 'prepare' });
}

async function requestStop(services: NativeServices, name: string): Promise<void> {
  try {
    await services.requestStop(name);
  } catch (thrown) {
    // It has ended in the meantime.
    if (isError(thrown, notActive)) return;
    if (!isError(thrown, dependentServicesRunning)) throw toPublicError(thrown);
    const names = await services.runningDependents(name).catch(() => []);
    const message = `other running services depend on it: ${names.join(', ') || 'their names could not be read'}`;
    const { operation, status: windowsError, statusName: windowsErrorName } = thrown;
    throw new ServiceError({ service: name, operation, windowsError, windowsErrorName }, { message, phase: 'prepare' });
  }
}

/** Whether a call of the Service Control Manager failed with this error. */
function isError(thrown: unknown, windowsError: number): thrown is NativeFailure {
  return isNativeFailure(thrown) && thrown.domain === 'system' && thrown.status === windowsError;
}

/** Polls until the state is the desired one. Throws when the service makes no progress or the signal fires. */
async function waitUntil(
  isReached: (state: number) => boolean,
  wait: {
    readonly services: NativeServices;
    readonly name: string;
    readonly signal: AbortSignal;
    readonly patience: Patience;
  },
): Promise<NativeServiceStatus> {
  const { services, name, signal, patience } = wait;
  let progress = '';
  let progressAt = performance.now();
  for (;;) {
    const status = await services.query(name).catch((thrown: unknown) => {
      throw toPublicError(thrown);
    });
    const { state, checkPoint, waitHintMs } = status;
    if (isReached(state)) return status;
    const now = performance.now();
    if (progress !== `${state} ${checkPoint}`) {
      progress = `${state} ${checkPoint}`;
      progressAt = now;
    }
    if (signal.aborted || now - progressAt > Math.max(waitHintMs, patience.withoutProgressMs))
      throw stuckError(name, state);
    // A tenth of the hint, as its documentation advises, within limits: a server that is already down must not be waited for.
    const pause = Math.min(Math.max(waitHintMs / 10, 50), 500);
    await delay(pause, undefined, { signal }).catch(() => undefined);
  }
}

function stuckError(name: string, state: number): ServiceError {
  const message = `it is still ${stateNames[state] ?? state}`;
  return new ServiceError({ service: name }, { message, phase: 'prepare' });
}

function endedError(name: string, { exitCode, specificExitCode }: NativeServiceStatus): ServiceError {
  const code = exitCode === specificError ? `its own exit code ${specificExitCode}` : `exit code ${exitCode}`;
  const message = `it ended while it was starting, with ${code}`;
  const windowsError = exitCode === specificError ? 0 : exitCode;
  return new ServiceError({ service: name, windowsError }, { message, phase: 'prepare' });
}
