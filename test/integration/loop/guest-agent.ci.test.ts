// QEMU's own guest agent, called through its socket as a hypervisor does; its hook is the one line in docs/command-line.md.
// Only the loop-mounted file system is frozen. The image that is copied between freeze and thaw is the hypervisor's snapshot.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { listBackups, restoreDatabases } from '#lib/index';
import { locationFlags, mainScript, plainEnvironment, RunningProcess, until } from '../command-line';
import { SimulatedDomino } from '../simulated-domino';
import { describeOnLoopImage, LoopImage } from './images';

const rounds = process.env['DOMINO_VSS_TEST_TIER'] === 'full' ? 20 : 2;
const agentPackage = { package: 'qemu-guest-agent', programs: ['qemu-ga'] };

function hypervisorsSnapshots(): void {
  const home = mkdtempSync(join(tmpdir(), 'domino-vss-agent-'));
  const deltaDirectory = join(home, 'backup');
  const socket = join(home, 'agent.sock');
  let image: LoopImage;
  let domino: SimulatedDomino;
  let server: Server;
  let agent: RunningProcess;

  beforeAll(async () => {
    image = new LoopImage('xfs', 1024);
    domino = await SimulatedDomino.create({ databases: 60 }, image.mountPoint);
    server = await domino.serve(load);
    for (const name of ['state', 'agent']) mkdirSync(join(home, name), { mode: 0o700 });
    const hook = join(home, 'hook');
    const command = [process.execPath, mainScript].join(' ');
    const options = ['--delta-dir', deltaDirectory, ...locationFlags(domino)].join(' ');
    writeFileSync(hook, `#!/bin/sh\n${command} "$1" ${options} >>${join(home, 'hook.log')} 2>&1\n`, { mode: 0o700 });
    agent = new RunningProcess(
      'qemu-ga',
      ['-m', 'unix-listen', '-p', socket, `-F${hook}`, '-t', join(home, 'agent'), '-f', join(home, 'agent.pid')],
      { env: { ProgramData: join(home, 'state'), SIM_ALLOW_ROOT: '1', ...plainEnvironment } },
    );
    await until('the agent listens', () =>
      ask('guest-ping').then(
        () => true,
        () => false,
      ),
    );
  }, 60_000);

  afterAll(async () => {
    agent.interrupt('SIGTERM');
    await agent.ended;
    await server.stop();
    await domino[Symbol.asyncDispose]();
    image[Symbol.dispose]();
    rmSync(home, { recursive: true });
  });

  /** One request and its answer; the agent serves one connection after the other. */
  function ask(execute: string, more: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const connection = connect(socket);
      let text = '';
      connection.on('error', reject).on('data', (data) => {
        text += data.toString();
        if (!text.includes('\n')) return;
        connection.destroy();
        const answer = JSON.parse(text) as { return?: unknown; error?: { desc: string } };
        if (answer.error) reject(new Error(answer.error.desc));
        else resolve(answer.return);
      });
      connection.write(`${JSON.stringify({ execute, ...more })}\n`);
    });
  }

  test(`what the agent freezes is a backup, ${rounds} of ${rounds} times`, async () => {
    for (let round = 0; round < rounds; ++round) {
      const frozen = await ask('guest-fsfreeze-freeze-list', { arguments: { mountpoints: [image.mountPoint] } });
      using snapshot = new LoopImage(image, 'frozen');
      expect(frozen).toBe(1);
      await ask('guest-fsfreeze-thaw');
      await domino.expectQuiet();
      const backup = (await listBackups(deltaDirectory)).at(-1);
      expect([backup?.state, readFileSync(join(home, 'hook.log'), 'utf8')]).toEqual(['complete', expect.anything()]);
      await server.stop();
      const restored = await restoreDatabases({
        manifest: join(deltaDirectory, backup?.id ?? ''),
        domino: domino.location,
        mode: { type: 'offline' },
        shadowRoots: [{ volume: image.mountPoint, root: snapshot.mountPoint }],
      });
      const files = restored.databases.flatMap((database) => (database.result === 'restored' ? [database.file] : []));
      const verdicts = await domino.simulation.verify(files);
      expect(verdicts.filter(({ verdict }) => verdict !== 'consistent')).toEqual([]);
      expect(verdicts.length).toBeGreaterThan(50);
      server = await domino.serve(load);
    }
    expect(await listBackups(deltaDirectory)).toHaveLength(rounds);
  }, 1_200_000);
}

const load = { threads: 2, transactionsPerSecond: 800 } as const;

describeOnLoopImage('xfs', hypervisorsSnapshots, [agentPackage]);
