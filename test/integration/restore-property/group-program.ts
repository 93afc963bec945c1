// Tries cases on its own server: there is one Domino runtime per process, and each style of the log needs another one.
//
//   node group-program.js      with its options as JSON in TEST_OPTIONS; answers with a line of JSON

import fc from 'fast-check';
import { runCase } from './case';
import { mutations } from './mutation';
import { cases } from './operations';
import type { GroupOptions, GroupResult } from './groups';
import { CaseServer } from './server';
import { Tally } from './tally';

/** Most additional cases, for shrinking a failing one. Not more, because each backup finds the databases of all of them. */
const mostCasesForShrinking = 40;

async function run({ style, seed, path, cases: numRuns, mutation, parent }: GroupOptions): Promise<GroupResult> {
  await using server = await CaseServer.create({
    style,
    seed,
    cases: numRuns + Math.min(mostCasesForShrinking, 2 * numRuns + 6),
    parent,
  });
  const tally = new Tally();
  const tools = { server, tally, mutation: mutation && mutations[mutation] };
  const property = fc.asyncProperty(cases, async (one) => {
    fc.pre(await runCase(one, tools));
  });
  // A planted fault is either found or not; its case need not be shrunk.
  const endOnFailure = mutation !== undefined;
  const details = await fc.check(property, { seed, numRuns, endOnFailure, ...(path !== undefined && { path }) });
  if (!details.failed) return { tally };
  const [counterexample] = details.counterexample ?? [];
  const error = details.errorInstance;
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    tally,
    failure: { what, path: details.counterexamplePath ?? '', counterexample: JSON.stringify(counterexample) },
  };
}

run(JSON.parse(process.env['TEST_OPTIONS'] ?? '') as GroupOptions).then(
  (result) => process.stdout.write(`${JSON.stringify(result)}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  },
);
