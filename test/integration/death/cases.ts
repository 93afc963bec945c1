import { DeathSweep, works, type Death, type Work } from './sweep';
import { randomOf } from '../../random';

/**
 * Number of cases per server. The log of its workload, which each case reads completely, and its transaction log grow with every
 * case; after some hundreds they would take nearly all of the time.
 */
const casesOfServer = 20;

/** The result of a sweep. */
export interface SweepResult {
  readonly cases: number;
  /** Cases whose process really was killed; the others ended before that. */
  readonly deaths: number;
  /** Deaths of an offline restore after which a person had to decide. */
  readonly decided: number;
  /** Each with the work, the death and the violation. */
  readonly violations: readonly string[];
}

/** Kills processes of every kind of work: in each call of the C API, at operations chosen by the seed, and at random times. */
export async function sweepDeaths(seed: number, wantedCases: number, longestMs = Infinity): Promise<SweepResult> {
  const startedAt = performance.now();
  const endsAt = startedAt + longestMs;
  const random = randomOf(seed);
  const measured = new Map<Work, { readonly operations: number; readonly ms: number }>();
  {
    await using sweep = await DeathSweep.create();
    for (const work of works) measured.set(work, await sweep.measure(work));
  }
  const randomDeath = (work: Work): Death => {
    const { operations = 1, ms = 1000 } = measured.get(work) ?? {};
    // Times are measured in a running process, after the start of Node.js; operations are only those of the work itself.
    if (random() < 0.35) return { at: 'time', ms: Math.round(ms * (0.2 + 0.8 * random())) };
    return { at: 'operation', number: 1 + Math.floor(random() * operations), after: random() < 0.5 };
  };
  const fixed = works.flatMap((work) =>
    DeathSweep.callsOf(work).flatMap((call) =>
      [false, true].map((after) => ({ work, death: { at: 'call', call, after } as const })),
    ),
  );
  const violations: string[] = [];
  let [cases, deaths, decided] = [0, 0, 0];
  while (cases < wantedCases && performance.now() < endsAt) {
    await using sweep = await DeathSweep.create();
    const lastCase = Math.min(wantedCases, cases + casesOfServer);
    for (; cases < lastCase && performance.now() < endsAt; cases += 1) {
      const number = cases;
      const work = works[Math.floor(random() * works.length)] ?? 'backup';
      // Every second one, so that even a short sweep contains both.
      const inCall = number % 2 === 0 ? fixed.splice(Math.floor(random() * fixed.length), 1)[0] : undefined;
      const chosen = inCall ?? { work, death: randomDeath(work) };
      const wrong = await sweep.run(chosen.work, chosen.death, randomDeath('restore-online'));
      const described = wrong.map((what) => `case ${number}, ${chosen.work} ${JSON.stringify(chosen.death)}: ${what}`);
      // A sweep takes hours, so findings are printed immediately.
      for (const line of described) process.stdout.write(`${line}\n`);
      violations.push(...described);
    }
    deaths += sweep.crashed;
    decided += sweep.decided;
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    process.stdout.write(
      `${cases} of ${wantedCases} cases, ${deaths} deaths, ${decided} decided by a person, ${violations.length} violations, ${seconds} s\n`,
    );
  }
  return { cases, deaths, decided, violations };
}

/** Printed, so that a sweep with findings can be repeated. */
export function seedOfSweep(): number {
  const seed = Number(process.env['DEATH_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`DEATH_SEED=${seed}\n`);
  return seed;
}
