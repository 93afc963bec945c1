import { randomOf } from '../../random';
import { NthCallSweep, type Case, type SweepOptions } from './sweep';
import { works, type Work } from './works';

/** How often a sweep reports its progress. */
const casesOfProgress = 20;

/**
 * `NTH_CALL_SEED` repeats the selection of a sweep. `NTH_CALL_WORK`, as in `restore,recover`, and `NTH_CALL_FAULT`, as in
 * `hang,EIO` for calls on files and to the system, `die`, or `NSFBackupStart`, leave others out. `NTH_CALL_CASE`, a JSON document,
 * selects a single case.
 */
export function seedOfSweep(): number {
  const given = process.env['NTH_CALL_SEED'];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  process.stdout.write(`NTH_CALL_SEED=${seed}\n`);
  return seed;
}

/** By `NTH_CALL_FAULT`. */
function isAsked({ call, fault }: Case): boolean {
  const kind = fault === 'die-after' ? 'die' : fault;
  const name = ['file', 'system'].includes(call) || kind === 'die' ? kind : call;
  return process.env['NTH_CALL_FAULT']?.split(',').includes(name) ?? true;
}

export interface CaseLimits {
  readonly cases: number;
  readonly ms: number;
  /** Unless `NTH_CALL_WORK` names others. Default: all. */
  readonly works?: readonly Work[];
  /** Only these calls. Default: all. */
  readonly calls?: readonly string[];
}

/** Cases in an order that depends on the seed. */
async function chooseCases(
  sweep: NthCallSweep,
  seed: number,
  { works: given = works, calls }: CaseLimits,
): Promise<Case[]> {
  const asked = process.env['NTH_CALL_CASE'];
  if (asked !== undefined) return [JSON.parse(asked) as Case];
  const random = randomOf(seed);
  const named = process.env['NTH_CALL_WORK']?.split(',');
  const all = await sweep.cases(named ? works.filter((work) => named.includes(work)) : given);
  const order = all.map((one) => ({ one, key: random() })).sort((a, b) => a.key - b.key);
  return order.map(({ one }) => one).filter((one) => isAsked(one) && (calls?.includes(one.call) ?? true));
}

/** Runs cases until the time is up. */
export async function sweepCalls(
  seed: number,
  limits: CaseLimits,
  options?: SweepOptions,
): Promise<{ readonly violations: readonly string[]; readonly cases: number }> {
  await using sweep = await NthCallSweep.create(options);
  const chosen = await chooseCases(sweep, seed, limits);
  const startedAt = performance.now();
  const end = startedAt + limits.ms;
  const violations: string[] = [];
  let cases = 0;
  const tell = (): void => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const done = `${cases} of ${chosen.length} cases, ${sweep.deaths} deaths`;
    process.stdout.write(`${done}, ${violations.length} violations, ${seconds} s\n`);
  };
  for (const one of chosen.slice(0, limits.cases)) {
    if (performance.now() >= end) break;
    const wrong = await sweep.run(one);
    // A sweep takes long, so findings are printed immediately.
    for (const line of wrong) process.stdout.write(`${line}\n`);
    violations.push(...wrong);
    cases += 1;
    // This process, or the server, would refuse everything that follows.
    if (wrong.some((line) => /ERR_LOCKED|in backup mode$|are offline$/.test(line))) break;
    if (cases % casesOfProgress === 0) tell();
  }
  tell();
  return { violations, cases };
}
