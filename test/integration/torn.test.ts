// The counter-proof: without backup mode, the verifier finds every copy torn if a transaction is half written in the meantime.

import { copyFileSync, closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;
let server: Server;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 4, pages: [32, 64], plainNames: true });
  server = await domino.serve({ paused: true });
});

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

test('a snapshot in the middle of a transaction is torn, 20 times of 20', async () => {
  const [database = ''] = domino.simulation.databases();
  const file = join(domino.simulation.dataDirectory, database);
  for (let run = 0; run < 20; ++run) {
    const copy = join(domino.home, `half-${run}.nsf`);
    await server.run(database, 3);
    await server.hold(database, 1);
    copyFileSync(file, copy);
    await server.release(database);
    const [verdict] = await domino.simulation.verify([copy]);
    expect(verdict).toMatchObject({ verdict: 'torn' });
  }
}, 60_000);

test('a copy with writes between its blocks is torn, 20 times of 20', async () => {
  const [, database = ''] = domino.simulation.databases();
  const file = join(domino.simulation.dataDirectory, database);
  const block = Buffer.alloc(4096);
  for (let run = 0; run < 20; ++run) {
    const copy = join(domino.home, `between-${run}.nsf`);
    const source = openSync(file, 'r');
    const target = openSync(copy, 'w');
    const pages = statSync(file).size / block.length;
    for (let page = 0; page < pages; ++page) {
      // After the superblock, so that pages of later transactions follow an older superblock.
      if (page === 3) await server.run(database, 20);
      readSync(source, block, 0, block.length, page * block.length);
      writeSync(target, block);
    }
    closeSync(source);
    closeSync(target);
    const [verdict] = await domino.simulation.verify([copy]);
    expect(verdict).toMatchObject({ verdict: 'torn' });
  }
}, 60_000);

test('the verifier accepts the same file when nobody writes', async () => {
  const [, , database = ''] = domino.simulation.databases();
  await server.run(database, 5);
  const copy = join(domino.home, 'quiet.nsf');
  copyFileSync(join(domino.simulation.dataDirectory, database), copy);
  expect(await domino.simulation.verify([copy])).toMatchObject([{ verdict: 'consistent' }]);
});
