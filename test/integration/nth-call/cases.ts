import { randomOf } from '../death/sweep';
import { NthCallSweep } from './sweep';

/** `NTH_CALL_SEED` repeats the choice of a sweep; a case by itself is chosen by `NTH_CALL_CASE`, a JSON document. */
export function seedOfSweep(): number {
  const given = process.env['NTH_CALL_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 0xffffffff) : Number(given);
  process.stdout.write(`NTH_CALL_SEED=${seed} repeats this\n`);
  return seed;
}

/** Runs some of all cases, in an order that the seed decides, until the time is up. */
export async function sweepCalls(
  seed: number,
  limits: { readonly cases: number; readonly ms: number },
): Promise<{ readonly violations: readonly string[]; readonly cases: number; readonly all: number }> {
  await using sweep = await NthCallSweep.create();
  const all = await sweep.cases();
  const random = randomOf(seed);
  const order = all.map((one) => ({ one, key: random() })).sort((a, b) => a.key - b.key);
  const asked = process.env['NTH_CALL_CASE'];
  const chosen = asked === undefined ? order.map(({ one }) => one) : [JSON.parse(asked) as (typeof all)[number]];
  const end = performance.now() + limits.ms;
  const violations: string[] = [];
  let cases = 0;
  for (const one of chosen.slice(0, limits.cases)) {
    if (performance.now() >= end) break;
    violations.push(...(await sweep.run(one)));
    cases += 1;
  }
  return { violations, cases, all: all.length };
}
