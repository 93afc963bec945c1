import { join } from 'node:path';
import { RunningProcess } from '../command-line';
import type { SimulatedDomino } from '../simulated-domino';
import type { Order } from './work-program';
import type { Result } from './works';

/** Exit code of a process that the stand-in for Domino has killed in a call. */
const killedInCall = 137;

/**
 * Does work in a process of its own, which dies in it if the environment or a fault of the stand-in says so, with the outcome
 * `died`. Longer than the limit it is not waited for.
 */
export async function workInProcess(
  { simulation }: SimulatedDomino,
  order: Order,
  env: Readonly<Record<string, string>>,
  longestMs: number,
): Promise<Result> {
  const program = [join(__dirname, 'work-program.js'), JSON.stringify(order)];
  const dying = ['--require', join(__dirname, '../death/dying.js')];
  const options = { env: { ...simulation.environment, SIM_ALLOW_ROOT: '1', ...env } };
  const running = new RunningProcess(process.execPath, [...dying, ...program], options);
  const late = { isTooLong: false };
  const timer = setTimeout(() => {
    late.isTooLong = true;
    running.child.kill('SIGKILL');
  }, longestMs);
  const { code, signal, stdout, stderr } = await running.ended;
  clearTimeout(timer);
  if (late.isTooLong) return { outcome: 'untyped', told: `never given up ${stderr}` };
  if (code === killedInCall || signal === 'SIGKILL') return { outcome: 'died', told: stderr };
  if (code !== 0) return { outcome: 'untyped', told: `ends with ${signal ?? code}: ${stdout}${stderr}` };
  return JSON.parse(stdout) as Result;
}
