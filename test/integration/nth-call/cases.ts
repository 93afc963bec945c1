import { randomOf } from '../../random';
import { NthCallSweep, type Case } from './sweep';

/** How often a sweep reports its progress. */
const casesOfProgress = 20;

/**
 * `NTH_CALL_SEED` repeats the selection of a sweep. `NTH_CALL_WORK`, as in `restore,recover`, and `NTH_CALL_FAULT`, as in
 * `hang,EIO` for calls on files or `NSFBackupStart`, leave others out. `NTH_CALL_CASE`, a JSON document, selects a single case.
 */
export function seedOfSweep(): number {
  const given = process.env['NTH_CALL_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  process.stdout.write(`NTH_CALL_SEED=${seed}\n`);
  return seed;
}

/** By `NTH_CALL_WORK` and `NTH_CALL_FAULT`. */
function isAsked({ work, call, fault }: Case): boolean {
  const isOf = (name: string, value: string): boolean => process.env[name]?.split(',').includes(value) ?? true;
  return isOf('NTH_CALL_WORK', work) && isOf('NTH_CALL_FAULT', call === 'file' ? fault : call);
}

/** Runs cases in an order that depends on the seed, until the time is up. */
export async function sweepCalls(
  seed: number,
  limits: { readonly cases: number; readonly ms: number },
): Promise<{ readonly violations: readonly string[]; readonly cases: number }> {
  await using sweep = await NthCallSweep.create();
  const all = await sweep.cases();
  const random = randomOf(seed);
  const order = all.map((one) => ({ one, key: random() })).sort((a, b) => a.key - b.key);
  const asked = process.env['NTH_CALL_CASE'];
  const chosen = asked === undefined ? order.map(({ one }) => one).filter(isAsked) : [JSON.parse(asked) as Case];
  const startedAt = performance.now();
  const end = startedAt + limits.ms;
  const violations: string[] = [];
  let cases = 0;
  const tell = (): void => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    process.stdout.write(`${cases} of ${all.length} cases, ${violations.length} violations, ${seconds} s\n`);
  };
  for (const one of chosen.slice(0, limits.cases)) {
    if (performance.now() >= end) break;
    const wrong = await sweep.run(one);
    // A sweep takes long, so findings are printed immediately.
    for (const line of wrong) process.stdout.write(`${line}\n`);
    violations.push(...wrong);
    cases += 1;
    // This process would refuse everything that follows.
    if (wrong.some((line) => line.includes('ERR_LOCKED'))) break;
    if (cases % casesOfProgress === 0) tell();
  }
  tell();
  return { violations, cases };
}
