// Random schedules of holds: released, given up, too late, released twice, and with the holder, the caller or both killed. After
// each, nothing may be held, and only a release that reported success has left a backup.

import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from 'domino-vss-simulator';
import { giveUpHold, isDominoVssError, listBackups, recoverInterrupted, releaseHold } from '#lib/index';
import { until } from './command-line';
import { flushesVolumes, stateVariable } from './held-domino';
import { SimulatedDomino } from './simulated-domino';
import { memoryDirectory } from '../platform';
import { randomOf } from '../random';

/** Under Wine each case takes several times as long, because it starts processes. */
const cases = Number(process.env['HOLD_CASES'] ?? (process.platform === 'win32' ? 20 : 200));
const seed = Number(process.env['HOLD_SEED'] ?? 20261127);

let domino: SimulatedDomino;
let server: Server;
let holds: string;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 12 }, memoryDirectory);
  server = await domino.serve({ threads: 1, transactionsPerSecond: 200 });
  const state = join(domino.home, 'state');
  mkdirSync(state, { mode: 0o700 });
  delete process.env['ProgramData'];
  process.env[stateVariable] = state;
  mkdirSync(domino.deltaDirectory, { mode: 0o700 });
  holds = join(state, 'domino-vss', 'holds');
});

afterAll(async () => {
  await server.stop();
  await domino[Symbol.asyncDispose]();
});

/** The caller of `hold`, which can be killed too. */
function callHold(maxHoldMs: number): ChildProcess {
  const options = { deltaDirectory: domino.deltaDirectory, domino: domino.location, maxHoldMs, flushesVolumes };
  return fork(join(__dirname, 'hold-program.js'), [JSON.stringify(options)], {
    // That of this test: jest gives tests a copy of the environment.
    env: process.env,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

function holderPid(): number | undefined {
  try {
    const [name = ''] = readdirSync(holds).filter((file) => file.endsWith('.json'));
    return (JSON.parse(readFileSync(join(holds, name), 'utf8')) as { holder: { pid: number } }).holder.pid;
  } catch {
    return undefined;
  }
}

function kill(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

const backups = async (): Promise<number> =>
  (await listBackups(domino.deltaDirectory)).filter(({ state }) => state === 'complete').length;

/** Whether the release said that there is a backup. */
async function release(): Promise<boolean> {
  try {
    const report = await releaseHold({ deltaDirectory: domino.deltaDirectory });
    expect(report.outcome).toBe('complete');
    return true;
  } catch (error) {
    expect(isDominoVssError(error) ? error.code : error).toMatch(/^ERR_(HOLD_EXPIRED|NOT_HELD|STATE)$/);
    return false;
  }
}

test(`${cases} of them, seed ${seed}`, async () => {
  const tally: Record<string, number> = {};
  /** Twice as long as the latest call of `hold` took here. A caller that is killed within it may have got as far as the hold. */
  let callMs = 2000;
  for (let index = 0; index < cases; ++index) {
    const next = randomOf(seed + index);
    const random = (below: number): number => Math.floor(next() * below);
    const before = await backups();
    const maxHoldMs = 500 + random(4000);
    const end = ['release', 'give-up', 'too-late', 'twice', 'kill-holder', 'kill-caller', 'kill-both'][random(7)] ?? '';
    const calledAt = performance.now();
    const caller = callHold(maxHoldMs);
    const ended = new Promise<number | null>((resolve) => caller.once('exit', resolve));
    let good = 0;
    if (end === 'kill-caller' || end === 'kill-both') {
      await sleep(random(callMs));
      if (end === 'kill-both') kill(holderPid());
      kill(caller.pid);
      await ended;
      await sleep(random(300));
      good += Number(await release());
    } else {
      expect([index, end, await ended]).toEqual([index, end, 0]);
      callMs = Math.round(2 * (performance.now() - calledAt));
      await sleep(end === 'too-late' ? maxHoldMs + 100 : random(maxHoldMs));
      if (end === 'kill-holder') kill(holderPid());
      if (end === 'give-up') await giveUpHold({ deltaDirectory: domino.deltaDirectory });
      else if (end === 'twice') good += (await Promise.all([release(), release()])).filter(Boolean).length > 0 ? 1 : 0;
      else good += Number(await release());
    }
    // A caller that was killed may have a holder that does not know it yet.
    await until('nothing is running', async () => {
      const { processes } = await domino.simulation.stats();
      // This process has Domino, too, since it recovered something for the first time.
      return processes.every(({ role, pid }) => role !== 'api' || pid === process.pid);
    });
    await recoverInterrupted({ deltaDirectory: domino.deltaDirectory, domino: domino.location });
    expect([index, end, (await domino.simulation.stats()).inBackup]).toEqual([index, end, []]);
    expect([index, end, (await backups()) - before]).toEqual([index, end, good]);
    if (end === 'too-late') expect(good).toBe(0);
    tally[`${end}: ${good === 1 ? 'backup' : 'no backup'}`] =
      (tally[`${end}: ${good === 1 ? 'backup' : 'no backup'}`] ?? 0) + 1;
  }
  console.log(JSON.stringify(tally, undefined, 1));
  const withBackups = cases < 100 ? ['release'] : ['release', 'twice', 'kill-caller'];
  for (const end of withBackups) expect(tally[`${end}: backup`]).toBeGreaterThan(0);
}, 3_600_000);
