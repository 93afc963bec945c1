// One snapshot of another program whose databases our writer completes in the shadow; auto-recovery.full.test.ts has what may go wrong.

import { join } from 'node:path';
import { Call } from '#lib/call/call';
import { openRuntime } from '#lib/domino/runtime';
import { loadBinding } from '#lib/native/binding';
import { SimulatedDomino } from '../integration/simulated-domino';
import { eventsUntil, proveSnapshot, rootsOf, shadowsOf, tearingSnapshot, wholeVolumes } from './foreign-snapshot';
import { Machine } from './machine';

test('no database in the shadow needs its change information', async () => {
  const machine = new Machine();
  const options = { databases: 8, pages: [4, 40] as [number, number], settings: { SIM_DEVICE_PATHS: 'accepted' } };
  const domino = await SimulatedDomino.create(options, machine.homes[0]);
  const server = await domino.serve({ threads: 2, transactionsPerSecond: 300 });
  const { programDirectory, notesIni } = domino.simulation;
  const writer = machine.start('serve-writer-program.js', [programDirectory, notesIni, machine.deltaDirectory]);
  await eventsUntil(writer, 'serving');
  const binding = loadBinding();
  await openRuntime(binding, domino.location, new Call({ timeoutMs: 60_000, phase: 'runtime' }));
  const [database = ''] = domino.simulation.databases();
  const { requester, told } = await tearingSnapshot(machine, wholeVolumes(machine, 'c:'), { server, database, writer });
  expect({ ...requester, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' });
  await server.pause();
  const shadows = rootsOf(await shadowsOf(writer));
  await proveSnapshot({ binding, isCompleted: true, domino, told, shadows, copies: join(domino.home, 'copies') });
  expect((await writer.end()).code).toBe(0);
  await server.stop();
  await domino.expectQuiet();
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
}, 120_000);
