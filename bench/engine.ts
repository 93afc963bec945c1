import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Simulation } from 'domino-vss-simulator';

const root = join(__dirname, '../..');
const build = join(root, 'build/native-bench');
const program = join(build, 'engine-bench');
/** Holds a runtime library that does nothing, or waits. */
export const idleProgramDirectory = join(build, 'program');

/** One line of engine-bench. */
export interface EngineRun {
  readonly databases: number;
  readonly shards: number;
  readonly windowMs: number;
  readonly idealMs: number;
  readonly windowRatio: number;
  readonly skewRatio: number;
  readonly shadowMs: number;
  readonly windowUsPerDatabase: number;
  /** How long one database is in backup mode, on average. */
  readonly databaseMs: number;
  /** The same, each database weighted by what is written to it. */
  readonly writeMs: number;
  readonly preparedToFirstStartUs: number;
  readonly bytesPerDatabase: number;
}

export interface EngineOptions {
  readonly databases?: number;
  readonly shards?: number;
  readonly startUs?: number;
  readonly stopUs?: number;
  readonly shadowMs?: number;
  readonly runs?: number;
  readonly way?: 'engine' | 'one-by-one';
  /** One database in so many takes 100 times as long; 0 = none. */
  readonly heavy?: number;
  /** Whether an earlier backup has measured what each database costs. */
  readonly known?: boolean;
  /** Exponent of how what is written is spread over the databases; 0 = evenly. */
  readonly zipf?: number;
  /** Whether the engine knows how much is written to each. */
  readonly order?: 'activity' | 'none';
  /** Directory whose file system is written back before the window. */
  readonly flush?: string;
  /** Clones into a directory, which must not exist, instead of a wait in place of the shadow. */
  readonly clones?: { readonly order: 'pipelined' | 'first'; readonly into: string };
  /** Databases of a simulation instead of a Domino that does nothing. */
  readonly simulation?: Simulation;
  /** Its settings, by the environment of the process. */
  readonly settings?: Readonly<Record<string, number>>;
}

/** Builds the program: optimised, and apart from everything that tests build. */
export function buildEngineBench(): void {
  execFileSync('cmake', ['-S', join(root, 'bench/native'), '-B', build], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('cmake', ['--build', build, '--parallel', '2'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (!existsSync(program)) throw new Error(`${program} was not made`);
}

export async function runEngine(options: EngineOptions): Promise<EngineRun[]> {
  const { simulation, settings = {} } = options;
  const given: Record<string, number | string | undefined> = {
    databases: options.databases,
    shards: options.shards,
    'start-us': options.startUs,
    'stop-us': options.stopUs,
    'shadow-ms': options.shadowMs,
    runs: options.runs,
    way: options.way,
    heavy: options.heavy,
    known: options.known === undefined ? undefined : Number(options.known),
    zipf: options.zipf,
    order: options.order,
    flush: options.flush,
    clones: options.clones?.order,
    into: options.clones?.into,
    program: simulation?.programDirectory,
    ini: simulation?.notesIni,
  };
  const args = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  const { stdout } = await promisify(execFile)(program, args, {
    cwd: simulation?.dataDirectory,
    env: { ...process.env, ...simulation?.environment, SIM_ALLOW_ROOT: '1', SIM_QUIET: '1', ...strings(settings) },
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as EngineRun);
}

function strings(settings: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
}
