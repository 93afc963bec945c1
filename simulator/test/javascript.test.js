'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');

const { createSimulation, isBuilt } = require('..');

test('the JavaScript interface', async () => {
  assert.ok(isBuilt());
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'domino-sim-js-'));
  const simulation = await createSimulation({ directory, databases: 12, links: true, settings: { SIM_SYNC: false } });
  const names = simulation.databases();
  assert.equal(names.length, 15);
  assert.ok(names.includes('Büro/Ärger ñ.nsf'));
  const files = names.slice(0, 12).map((name) => path.join(simulation.dataDirectory, name));

  const server = await simulation.serve({ threads: 1, transactionsPerSecond: 2000, secondProcess: true });
  const begin = process.hrtime.bigint();
  await server.run('Büro/Ärger ñ.nsf', 20);
  await server.pause();
  const { transactions, secondProcess } = await server.stats();
  assert.ok(transactions >= 20 && secondProcess.pid !== server.pid);
  const verdicts = await simulation.verify(files, { betweenNs: [process.hrtime.bigint(), process.hrtime.bigint()] });
  assert.deepEqual([...new Set(verdicts.map(({ verdict }) => verdict))], ['consistent']);
  const [late] = await simulation.verify([files[names.indexOf('Büro/Ärger ñ.nsf')]], { betweenNs: [begin, begin] });
  assert.equal(late.verdict, 'wrong-time');

  await server.hold(names[1], 1);
  await assert.rejects(server.hold(names[1], 1), /already held/);
  const [torn] = await simulation.verify([files[1]]);
  assert.equal(torn.verdict, 'torn');
  await server.release(names[1]);
  assert.equal((await simulation.verify([files[1]]))[0].verdict, 'consistent');
  await assert.rejects(server.run('nothing.nsf', 1), (error) => error.status === 0x0103);

  await simulation.fault('NSFDbOpen:3@mail/*=0x0107', 'NSFBackupStop=hang,after');
  assert.equal((await simulation.stats()).faults.length, 2);
  await simulation.clearFaults();
  assert.equal((await simulation.stats()).faults.length, 0);
  await assert.rejects(simulation.fault('NSFNothing=die'), /no such function/);
  await simulation.set({ SIM_LATENCY_NSFBackupStart_US: 100, SIM_SYNC: null });
  await assert.rejects(simulation.set({ SIM_NOTHING: 1 }), /no such setting/);

  assert.equal((await simulation.stats()).serverRunning, true);
  await server.kill();
  await assert.rejects(server.stats(), /not running/);
  const again = await simulation.serve({ paused: true });
  await again.stop();
  const { accounting, serverRunning } = await simulation.stats();
  assert.equal(serverRunning, false);
  assert.ok(accounting.crashedParticipants >= 1);
  await simulation.destroy();
  assert.ok(!fs.existsSync(directory));
});

test('a linear log is written over as a circular one is, and the history of a copy is that of the original', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'domino-sim-js-'));
  const settings = { SIM_SYNC: false, SIM_LOG_EXTENT_BYTES: 4096, SIM_LOG_EXTENTS: 3 };
  const simulation = await createSimulation({ directory, databases: 1, log: 'linear', unloggedShare: 0, settings });
  const [name] = simulation.databases();
  const file = path.join(simulation.dataDirectory, name);
  const server = await simulation.serve({ paused: true });
  await server.run(name, 300);
  const extents = fs.readdirSync(path.join(simulation.dataDirectory, 'logdir')).filter((each) => each.endsWith('.TXN'));
  assert.equal(extents.length, 3);
  assert.ok(!extents.includes('S0000000.TXN'));

  const copy = path.join(directory, 'copy.nsf');
  fs.copyFileSync(file, copy);
  const chains = async () => (await simulation.verify([file, copy])).map(({ chain }) => chain);
  const [same, ofCopy] = await chains();
  assert.match(same, /^[0-9a-f]{16}$/);
  assert.equal(ofCopy, same);
  await server.run(name, 1);
  const [later, left] = await chains();
  assert.deepEqual([left, later === same], [same, false]);
  await server.stop();
  await simulation.destroy();
});
