import { join } from 'node:path';
import { memoryDirectory } from '../../platform';
import { RunningProcess } from '../command-line';
import type { MutationName } from './mutation';
import type { LogStyle } from './server';
import { Tally } from './tally';

/** What one process tries. */
export interface GroupOptions {
  readonly style: LogStyle;
  readonly seed: number;
  /** The style of a failed case; otherwise all styles. */
  readonly path?: string;
  readonly cases: number;
  readonly mutation?: MutationName;
  /** Directory in which the server's directory is created. */
  readonly parent: string;
}

/** What it found. */
export interface GroupResult {
  readonly tally: Tally;
  readonly failure?: { readonly what: string; readonly path: string; readonly counterexample: string };
}

const styles: readonly LogStyle[] = ['archive', 'circular', 'archive', 'linear'];
/** The verifier reads everything that was ever written on a server. */
const casesOfGroup = 50;

/** Tries cases in a separate process. */
export async function runGroup(options: Omit<GroupOptions, 'parent'>): Promise<GroupResult> {
  const group = new RunningProcess(process.execPath, [join(__dirname, 'group-program.js')], {
    env: { ...process.env, TEST_OPTIONS: JSON.stringify({ ...options, parent: memoryDirectory }) },
  });
  const { code, stdout, stderr } = await group.ended;
  if (code !== 0)
    throw new Error(`a group of cases ended with ${code}: ${JSON.stringify(options)}\n${stderr}${stdout}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as GroupResult;
}

/** `RESTORE_PROPERTY_SEED` repeats a sweep, and with `RESTORE_PROPERTY_PATH` and `_STYLE` a failed case. */
export function seedOfSweep(): number {
  const given = process.env['RESTORE_PROPERTY_SEED'];
  return given === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(given);
}

/** Tries cases on one server after another, until there are enough or the time is up. */
export async function sweep(
  seed: number,
  limits: { readonly cases: number; readonly ms: number },
): Promise<{ readonly tally: Tally; readonly violations: readonly string[] }> {
  const startedAt = performance.now();
  // So that every style is used.
  const sizeOfGroup = Math.min(casesOfGroup, Math.ceil(limits.cases / styles.length));
  const tally = new Tally();
  const violations: string[] = [];
  const path = process.env['RESTORE_PROPERTY_PATH'];
  const onlyStyle = process.env['RESTORE_PROPERTY_STYLE'];
  for (let group = 0; tally.cases < limits.cases && violations.length === 0; group += 1) {
    if (performance.now() - startedAt > limits.ms) break;
    const style = (onlyStyle as LogStyle | undefined) ?? styles[group % styles.length] ?? 'archive';
    const cases = Math.min(sizeOfGroup, limits.cases - tally.cases);
    const result = await runGroup({ style, seed: seed + group, cases, ...(path !== undefined && { path }) });
    tally.add(result.tally);
    if (result.failure) {
      const { what, path: failed, counterexample } = result.failure;
      const again = `RESTORE_PROPERTY_STYLE=${style} RESTORE_PROPERTY_SEED=${seed + group} RESTORE_PROPERTY_PATH=${failed}`;
      violations.push(`${what}\n${counterexample}\n${again}`);
    }
    // A sweep takes long, so progress and findings are printed immediately.
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const counts = JSON.stringify(tally);
    process.stdout.write(`${seconds} s, ${violations.length} violations, RESTORE_PROPERTY_SEED=${seed}: ${counts}\n`);
    if (result.failure) process.stdout.write(`${violations.at(-1)}\n`);
    if (path !== undefined) break;
  }
  return { tally, violations };
}
