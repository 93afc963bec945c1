// Waiting for a service of Windows, with a Service Control Manager in memory. windows/service.test.ts has the real calls.

import { DominoVssError, OptionError, ServiceError } from '#lib/errors/errors';
import type { NativeBinding, NativeServices } from '#lib/native/session';
import type { DominoService } from '#lib/domino/service';
import { windowsService } from '#lib/domino/windows-service';
import { failure } from '../fake-binding';

const [stopped, startPending, stopPending, running, paused] = [1, 2, 3, 4, 7];

/** One service. `passing`: the states that it passes through by itself, one for each query. */
class FakeManager {
  state = running;
  passing: number[] = [];
  checkPoint = 0;
  /** Whether the check point grows while a state is pending. */
  working = true;
  exitCode = 0;
  specificExitCode = 0;
  dependents: string[] = [];
  readonly orders: string[] = [];
  onStop = (): void => void (this.passing = [stopPending, stopPending, stopped]);
  onStart = (): void => void (this.passing = [startPending, startPending, running]);
  failures = new Map<string, number>();

  readonly native: NativeServices = {
    query: async () => {
      this.#fail('query', 'OpenServiceW');
      this.state = this.passing.shift() ?? this.state;
      if (this.working) this.checkPoint += 1;
      const { state, checkPoint, exitCode, specificExitCode } = this;
      return Promise.resolve({ state, checkPoint, waitHintMs: 20, exitCode, specificExitCode });
    },
    requestStop: async (name) => {
      this.#fail('stop', 'ControlService');
      this.orders.push(`stop ${name}`);
      this.onStop();
      return Promise.resolve();
    },
    requestStart: async (name) => {
      this.#fail('start', 'StartServiceW');
      this.orders.push(`start ${name}`);
      this.onStart();
      return Promise.resolve();
    },
    runningDependents: () => Promise.resolve(this.dependents),
  };

  #fail(what: string, operation: string): void {
    const status = this.failures.get(what);
    if (status === undefined) return;
    const record = { code: 'ERR_SERVICE', operation, domain: 'system', status, subject: 'Domino', text: 'no' } as const;
    throw failure({ ...record, statusName: `ERROR_${status}` }) as unknown as Error;
  }
}

let manager: FakeManager;
let service: DominoService;
const patience = { withoutProgressMs: 300, altogetherMs: 1_500 };
const never = new AbortController().signal;

beforeEach(() => {
  manager = new FakeManager();
  service = windowsService(() => ({ services: manager.native }) as NativeBinding, 'Domino', patience);
});

async function errorOf(promise: Promise<unknown>): Promise<ServiceError> {
  const error: unknown = await promise.then(
    () => new Error('did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ServiceError);
  return error as ServiceError;
}

test('is stopped and started by its name, and each is over when the state is there', async () => {
  expect(service.name).toBe('Domino');
  await expect(service.isRunning()).resolves.toBe(true);
  await service.stop({ signal: never });
  expect(manager.state).toBe(stopped);
  await expect(service.isRunning()).resolves.toBe(false);
  await service.start();
  expect(manager.state).toBe(running);
  expect(manager.orders).toEqual(['stop Domino', 'start Domino']);
});

test('a paused service runs; one that is stopped is not stopped again, one that runs not started again', async () => {
  manager.state = paused;
  await expect(service.isRunning({ signal: never })).resolves.toBe(true);
  manager.state = stopped;
  await service.stop({ signal: never });
  manager.state = running;
  await service.start();
  expect(manager.orders).toEqual([]);
});

test('a service that is starting counts as running, and is stopped when it has started', async () => {
  manager.passing = [startPending];
  await expect(service.isRunning({ signal: never })).resolves.toBe(true);
  manager.passing = [startPending, startPending, running];
  manager.onStop = () => {
    expect(manager.state).toBe(running);
    manager.passing = [stopPending, stopped];
  };
  await service.stop({ signal: never });
  expect(manager.orders).toEqual(['stop Domino']);
});

test('a service that somebody else is stopping is waited for, and did not run', async () => {
  manager.passing = [stopPending, stopPending, stopPending, stopped];
  await expect(service.isRunning({ signal: never })).resolves.toBe(false);
  expect(manager.passing).toEqual([]);
});

test('a service that is still on its way down is started when it has ended', async () => {
  manager.passing = [stopPending, stopPending, stopped];
  await service.start();
  expect(manager.orders).toEqual(['start Domino']);
  expect(manager.state).toBe(running);
});

test('the signal ends the wait for a stop that hangs', async () => {
  manager.onStop = () => void (manager.state = stopPending);
  const begun = performance.now();
  const error = await errorOf(service.stop({ signal: AbortSignal.timeout(150) }));
  expect(error).toMatchObject({ code: 'ERR_SERVICE', service: 'Domino', message: 'it is still stopping' });
  expect(performance.now() - begun).toBeLessThan(patience.withoutProgressMs + 140);
});

test('a stop that makes no progress ends; one that works goes on', async () => {
  manager.onStop = () => void (manager.passing = new Array<number>(12).fill(stopPending).concat(stopped));
  await service.stop({ signal: never });

  manager.state = running;
  manager.working = false;
  manager.onStop = () => void (manager.state = stopPending);
  const begun = performance.now();
  expect(await errorOf(service.stop({ signal: never }))).toMatchObject({ message: 'it is still stopping' });
  expect(performance.now() - begun).toBeGreaterThanOrEqual(patience.withoutProgressMs);
});

test('a start that never ends is bounded', async () => {
  manager.state = stopped;
  manager.onStart = () => void (manager.state = startPending);
  const begun = performance.now();
  expect(await errorOf(service.start())).toMatchObject({ message: 'it is still starting' });
  expect(performance.now() - begun).toBeGreaterThanOrEqual(patience.altogetherMs - 10);
});

test('a service that ends while it starts says why', async () => {
  manager.state = stopped;
  manager.onStart = () => void (manager.passing = [startPending, stopped]);
  manager.exitCode = 1066;
  manager.specificExitCode = 7;
  expect(await errorOf(service.start())).toMatchObject({
    message: 'it ended while it was starting, with its own exit code 7',
    windowsError: 0,
  });
  manager.exitCode = 1069;
  expect(await errorOf(service.start())).toMatchObject({
    message: 'it ended while it was starting, with exit code 1069',
    windowsError: 1069,
    hint: expect.stringContaining('password'),
  });
});

test('running services that depend on it are named, and nothing is stopped', async () => {
  manager.failures.set('stop', 1051);
  manager.dependents = ['Traveler', 'Sametime'];
  expect(await errorOf(service.stop({ signal: never }))).toMatchObject({
    message: 'other running services depend on it: Traveler, Sametime',
    operation: 'ControlService',
    windowsError: 1051,
    windowsErrorName: 'ERROR_1051',
    hint: expect.stringContaining('first'),
  });
  expect(manager.orders).toEqual([]);
});

test('one that ended or started by itself meanwhile is no error', async () => {
  manager.failures.set('stop', 1062);
  manager.passing = [running, stopped];
  await service.stop({ signal: never });
  manager.failures.set('start', 1056);
  manager.passing = [stopped, running];
  await service.start();
  expect(manager.state).toBe(running);
});

test.each<[string, number, (of: DominoService) => Promise<unknown>, string]>([
  ['query', 1060, (of) => of.isRunning(), 'sc query'],
  ['query', 5, (of) => of.stop({ signal: never }), 'elevated'],
  ['stop', 5, (of) => of.stop({ signal: never }), 'elevated'],
  ['stop', 1052, (of) => of.stop({ signal: never }), 'Check the state of the service'],
])('%s that fails with %d has the number, the call and a hint', async (what, status, action, hint) => {
  manager.failures.set(what, status);
  const error = await errorOf(action(service));
  expect(error).toMatchObject({ code: 'ERR_SERVICE', windowsError: status, hint: expect.stringContaining(hint) });
  expect(error.operation).not.toBe('');
  expect(error.message).toContain('on Domino');
});

test('a start that fails', async () => {
  manager.state = stopped;
  manager.failures.set('start', 1058);
  expect(await errorOf(service.start())).toMatchObject({ windowsError: 1058, operation: 'StartServiceW' });
});

test('there are no such services without Windows, and none without a name', async () => {
  const none = windowsService(() => ({}) as NativeBinding, 'Domino');
  const error: unknown = await none.isRunning().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DominoVssError);
  expect(error).toMatchObject({ code: 'ERR_UNSUPPORTED' });
  expect(() => windowsService(() => ({}) as NativeBinding, '')).toThrow(OptionError);
});
