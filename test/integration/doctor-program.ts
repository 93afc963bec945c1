// Runs `domino-vss doctor` as the user of this program, who is also the user of the simulated server.
//
//   node doctor-program.js <empty directory of this user> [<arguments of doctor as JSON> …]

import { run, type Ended } from './command-line';
import { SimulatedDomino } from './simulated-domino';

/** What the program prints, as JSON: one result for each list of arguments. */
export type Ends = readonly Ended[];

async function main(): Promise<void> {
  const [parent = '', ...runs] = process.argv.slice(2);
  const domino = await SimulatedDomino.create({ databases: 3, plainNames: true }, parent);
  const server = await domino.serve({ paused: true });
  const { notesIni, programDirectory } = domino.location;
  const ends: Ended[] = [];
  for (const args of runs) {
    const more = JSON.parse(args) as string[];
    ends.push(await run(['doctor', '--ini', notesIni ?? '', '--program', programDirectory ?? '', ...more]));
  }
  await server.stop();
  await domino[Symbol.asyncDispose]();
  process.stdout.write(JSON.stringify(ends));
}

void main();
