// Stop mode: without the backup API, the server is down while the shadow is made. Whatever happens, it runs afterwards if it ran
// before.

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import {
  beginBackup,
  readManifest,
  type BackupReport,
  type BeginBackupOptions,
  type DominoService,
  type HookProvider,
} from '#lib/index';
import { locationFlags, run } from './command-line';
import { SimulatedDomino } from './simulated-domino';
import { linuxTest, memoryDirectory } from '../platform';

/** The stand-in's server as a service; records what happens to it. */
class SimulatedService implements DominoService {
  readonly name = 'domino.service';
  readonly events: string[] = [];
  #server: Server | undefined;

  async isRunning(): Promise<boolean> {
    return (await domino.simulation.stats()).serverRunning;
  }

  async stop(): Promise<void> {
    this.events.push('stop');
    await this.#server?.stop();
  }

  async start(): Promise<void> {
    this.#server = await domino.serve({ threads: 2, transactionsPerSecond: 1000, seed: this.events.length + 1 });
    this.events.push('start');
  }

  /** Stops or starts the server without a request. */
  async reset(running: boolean): Promise<void> {
    await this.#server?.stop();
    if (running) await this.start();
    this.events.length = 0;
  }
}

let domino: SimulatedDomino;
const service = new SimulatedService();

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 12, plainNames: true, pages: [60, 120] }, memoryDirectory);
});

beforeEach(async () => {
  await service.reset(true);
});

afterEach(async () => {
  expect(existsSync(domino.shadowDirectory) ? readdirSync(domino.shadowDirectory) : []).toEqual([]);
  await expectNoBackupCalls();
});

afterAll(async () => {
  await service.reset(false);
  await domino[Symbol.asyncDispose]();
});

/** Neither this process nor any other has called Domino. */
async function expectNoBackupCalls(): Promise<void> {
  const { calls, inBackup, accounting } = await domino.simulation.stats();
  expect(Object.keys(calls).filter((name) => name.startsWith('NSFBackup'))).toEqual([]);
  expect(calls['NotesInitExtended']).toBeUndefined();
  expect(inBackup).toEqual([]);
  expect(accounting.crashedParticipants).toBe(0);
}

async function backUp(options: Partial<BeginBackupOptions> = {}): Promise<BackupReport> {
  const backup = await beginBackup({
    domino: { notesIni: domino.simulation.notesIni },
    deltaDirectory: domino.deltaDirectory,
    mode: { type: 'stop-service', service },
    ...options,
  });
  try {
    const set = await backup.createShadow({ signal: options.signal });
    if (options.provider === 'rolling') await set.copyDatabases({ to: join(domino.home, 'copies', backup.id) });
    return await backup.endBackup();
  } finally {
    await backup.dispose();
  }
}

const journals = (): string[] => readdirSync(join(domino.deltaDirectory, '.journal'));

/**
 * A provider that checks whether the server runs at the moment of the shadow, and then does what a test wants. Before it is
 * called, the volume is flushed, which Wine cannot do.
 */
function watching(then: () => Promise<void> | void = () => undefined): HookProvider {
  return {
    name: 'watching',
    create: async ({ volumes }) => {
      service.events.push((await service.isRunning()) ? 'shadow of a running server' : 'shadow');
      await then();
      return { shadows: volumes.map(({ path }) => ({ volume: path, root: path })) };
    },
  };
}

linuxTest('the server is stopped before the shadow and started again after it', async () => {
  const report = await backUp({ provider: watching() });
  expect(report.outcome).toBe('complete');
  expect(service.events).toEqual(['stop', 'shadow', 'start']);
  expect(await service.isRunning()).toBe(true);
  expect(journals()).toEqual([]);
});

test('the databases are consistent without change information, and hold all that was committed', async () => {
  const [database = ''] = domino.simulation.databases();
  const writing = domino.simulation.databases().map((path) => join(domino.simulation.dataDirectory, path));
  const report = await backUp({ provider: 'rolling', shadowDirectory: domino.shadowDirectory });
  expect(report.counts).toMatchObject({ captured: 12, skipped: 0, deltas: 0, deltaBytes: 0 });
  const manifest = await readManifest(report.manifest);
  expect(manifest).toMatchObject({ source: 'offline', logStyle: 'unknown' });
  const copies = domino.simulation.databases().map((path) => join(report.copies!.directory, path));
  const verdicts = await domino.simulation.verify(copies);
  expect(verdicts.map(({ verdict }) => verdict)).toEqual(copies.map(() => 'consistent'));
  // The workload continues exactly with the transactions at the end of the copies.
  await service.reset(false);
  const live = await domino.simulation.verify(writing);
  expect(live.map(({ verdict }) => verdict)).toEqual(writing.map(() => 'consistent'));
  for (const [index, { sequence }] of verdicts.entries()) {
    expect(live[index]?.sequence).toBeGreaterThanOrEqual(sequence ?? NaN);
  }
  expect(existsSync(join(report.copies!.directory, database))).toBe(true);
});

linuxTest('a server that did not run is neither stopped nor started', async () => {
  await service.reset(false);
  const report = await backUp({ provider: watching() });
  expect(report.outcome).toBe('complete');
  expect(service.events).toEqual(['shadow']);
  expect(await service.isRunning()).toBe(false);
});

linuxTest('a shadow that fails does not keep the server down', async () => {
  const failing = watching(() => {
    throw new Error('no space on the array');
  });
  await expect(backUp({ provider: failing })).rejects.toMatchObject({
    code: 'ERR_HOOK',
    message: expect.stringContaining('no space on the array'),
  });
  expect(service.events).toEqual(['stop', 'shadow', 'start']);
  expect(await service.isRunning()).toBe(true);
  expect(journals()).toEqual([]);
});

linuxTest('an abort while the server is down starts it again', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const aborting = watching(() => {
    controller.abort(reason);
  });
  await expect(backUp({ provider: aborting, signal: controller.signal })).rejects.toMatchObject({
    code: 'ERR_ABORTED',
    cause: reason,
  });
  expect(service.events).toEqual(['stop', 'shadow', 'start']);
  expect(await service.isRunning()).toBe(true);
  expect(journals()).toEqual([]);
});

linuxTest('a server that cannot be stopped is left running, with the reason', async () => {
  const stop = jest.spyOn(service, 'stop').mockRejectedValueOnce(new Error('unit is masked'));
  const start = jest.spyOn(service, 'start').mockResolvedValueOnce();
  await expect(backUp({ provider: watching() })).rejects.toMatchObject({
    code: 'ERR_SERVICE',
    message: 'domino.service could not be stopped: unit is masked',
  });
  expect(stop).toHaveBeenCalledTimes(1);
  // The service may be stopping.
  expect(start).toHaveBeenCalledTimes(1);
  jest.restoreAllMocks();
  expect(service.events).toEqual([]);
  expect(await service.isRunning()).toBe(true);
});

linuxTest('a server that does not start again is an error, and the journal keeps naming it', async () => {
  jest.spyOn(service, 'start').mockRejectedValueOnce(new Error('port in use'));
  await expect(backUp({ provider: watching() })).rejects.toMatchObject({
    code: 'ERR_SERVICE',
    message: 'domino.service could not be started again: port in use',
  });
  jest.restoreAllMocks();
  const [journal = ''] = journals();
  expect(readFileSync(join(domino.deltaDirectory, '.journal', journal), 'utf8')).toContain(
    '"stoppedService":"domino.service"',
  );
  const next = await backUp({ provider: watching() });
  expect(next.warnings).toContainEqual(
    expect.objectContaining({
      code: 'WARN_WORK_RECOVERED',
      message: expect.stringContaining('service domino.service: it was stopped for the backup'),
    }),
  );
});

linuxTest('the command line asks systemd to stop and start the unit, and needs no Domino environment', async () => {
  await service.reset(false);
  const bin = join(domino.home, 'bin');
  const log = join(domino.home, 'systemctl.log');
  mkdirSync(bin);
  writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\necho "$@" >> '${log}'\n`);
  chmodSync(join(bin, 'systemctl'), 0o755);
  const { code, stdout, stderr } = await run(
    ['backup', 'run', '--keep-nothing', '--delta-dir', domino.deltaDirectory, ...locationFlags(domino)].concat([
      '--stop-service',
      'domino.service',
      '--provider',
      'rolling',
      '--shadow-dir',
      domino.shadowDirectory,
    ]),
    { env: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('12 captured');
  expect(readFileSync(log, 'utf8')).toBe(
    'is-active -- domino.service\nstop -- domino.service\nstart -- domino.service\n',
  );
});
