import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '#lib/native/package-root';
import { randomOf } from '../../random';
import { mutated } from './mutation';

/** A parser of text or bytes from outside. */
export interface FuzzedParser {
  /** Also the name of the directory of its corpus. */
  readonly name: string;
  /**
   * Reads an input and throws if the parser does not keep its promise. Returns in a few words what came out: an input with a new
   * outcome is mutated further.
   */
  readonly read: (input: Buffer) => string | Promise<string>;
}

export interface Finding {
  readonly what: string;
  /** As small as it could be made. */
  readonly input: Buffer;
}

export interface Fuzzed {
  readonly inputs: number;
  /** Different outcomes. */
  readonly outcomes: number;
  readonly findings: readonly Finding[];
}

/** Processor time, far above what any input needs: what takes longer has no bound. */
const longestMs = 3_000;
const mostFindings = 8;

/** Reads mutations of the seeds until `isOver`; the same seed makes the same inputs. */
export async function fuzz(
  parser: FuzzedParser,
  seeds: readonly Buffer[],
  { seed, isOver }: { readonly seed: number; readonly isOver: (inputs: number) => boolean },
): Promise<Fuzzed> {
  const random = randomOf(seed);
  const pool = [...seeds];
  const outcomes = new Set<string>();
  const findings = new Map<string, Finding>();
  let inputs = 0;
  for (; !isOver(inputs) && findings.size < mostFindings; inputs += 1) {
    const input = mutated(pool, random);
    const { outcome, wrong } = await attempt(parser, input);
    if (wrong !== undefined) {
      const kind = kindOf(wrong);
      if (!findings.has(kind)) findings.set(kind, { what: wrong, input: await reduced(parser, input, kind) });
      continue;
    }
    const kind = kindOf(outcome);
    if (outcomes.has(kind)) continue;
    outcomes.add(kind);
    if (input.length < 10_000) pool.push(input);
  }
  return { inputs, outcomes: outcomes.size, findings: [...findings.values()] };
}

/** Reads one input: what came out of it, or what is wrong. */
export async function attempt(
  parser: FuzzedParser,
  input: Buffer,
): Promise<{ readonly outcome: string; readonly wrong?: string }> {
  const before = process.cpuUsage();
  let outcome: string;
  try {
    outcome = await parser.read(Buffer.from(input));
  } catch (error) {
    const { stack = String(error) } = error as Error;
    return { outcome: '', wrong: stack.split('\n').slice(0, 6).join('\n') };
  }
  const { user, system } = process.cpuUsage(before);
  const tookMs = (user + system) / 1000;
  if (tookMs > longestMs) return { outcome, wrong: `took ${Math.round(tookMs)} ms` };
  for (const prototype of [Object.prototype, Array.prototype, Error.prototype]) {
    const names = Object.keys(prototype);
    for (const name of names) Reflect.deleteProperty(prototype, name);
    if (names.length > 0) return { outcome, wrong: `has changed a prototype: ${names.join(', ')}` };
  }
  return { outcome };
}

/** Without what differs from input to input. */
function kindOf(outcome: string): string {
  return outcome
    .split('\n', 1)
    .join('')
    .replace(/"[^"]*"|'[^']*'|\/\S+|\d+|[^\x20-\x7e]+/g, '…')
    .slice(0, 80);
}

/** Removes parts of the input as long as the same goes wrong. */
async function reduced(parser: FuzzedParser, input: Buffer, kind: string): Promise<Buffer> {
  let smallest = input;
  const endsAt = performance.now() + 20_000;
  for (let part = Math.ceil(input.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    for (let at = 0; at < smallest.length && performance.now() < endsAt;) {
      const shorter = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + part)]);
      const { wrong } = await attempt(parser, shorter);
      if (wrong !== undefined && kindOf(wrong) === kind) smallest = shorter;
      else at += part;
    }
  }
  return smallest;
}

function corpusDirectory(parser: FuzzedParser): string {
  return join(packageRoot, 'test', 'fixtures', 'corpus', parser.name);
}

/** The inputs that are kept for a parser: seeds, and those that once found a fault. */
export function corpusOf(parser: FuzzedParser): { readonly name: string; readonly bytes: Buffer }[] {
  const directory = corpusDirectory(parser);
  return readdirSync(directory)
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(directory, name)) }));
}

/** Keeps an input that has found a fault, and returns its file. */
export function keep(parser: FuzzedParser, { input }: Finding): string {
  const directory = corpusDirectory(parser);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `found-${createHash('sha256').update(input).digest('hex').slice(0, 8)}`);
  writeFileSync(file, input);
  return file;
}
