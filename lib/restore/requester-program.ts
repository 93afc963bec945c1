// The process that restores for a VSS requester. The writer starts it in PreRestore, on a VSS thread, and it ends after PostRestore.
// So no handler waits for the JavaScript of the process that serves the writer, and a call that hangs can be ended. The protocol
// consists of lines with fields separated by tabs:
//
//   component <number> <name> <metadata>     begin    →  held 0 <text>           | refused <STATUS> <text> | busy 0 <text>
//   restored <number> all|none|failed        finish   →  done 0 <text> <report>  | failed <STATUS> <text> <report>
//                                                        before either, for failed components: component <number> <text>
//
// When its input ends or its time is over, it puts back what it can, leaves the rest to the journal, and answers "failed".

import { counted } from '../errors/counted';
import { printable, printableJson } from '../errors/printable';
import { DominoVssError, isDominoVssError, toPublicError, type DatabaseFailure } from '../errors/errors';
import { loadBinding } from '../native/binding';
import type { RequestedComponent } from './requester-plan';
import { RequesterRestore, type FilesRestored, type RequesterRestoreOptions } from './requester-restore';

const options = JSON.parse(process.argv[2] ?? '{}') as RequesterRestoreOptions & { readonly totalMs: number };
const components: RequestedComponent[] = [];
const restored = new Map<number, FilesRestored>();
let restore: RequesterRestore | undefined;
let isOver = false;

function say(...fields: readonly (string | number)[]): void {
  process.stdout.write(`${fields.map((field) => printable(String(field)).replaceAll('\t', ' ')).join('\t')}\n`);
}

/** The STATUS of Domino; 0 if it was another error. */
function statusOf(error: unknown): number {
  return isDominoVssError(error) && 'status' in error ? Number(error.status) : 0;
}

function describe(failures: readonly DatabaseFailure[]): string {
  const [first] = failures;
  return `not restored, and still offline: ${counted(failures.length, 'database')}; ${first?.database ?? ''}: ${first?.text ?? ''}`;
}

async function begin(): Promise<void> {
  try {
    restore = await RequesterRestore.begin(loadBinding(), options, components);
    say('held', 0, `${counted(restore.databases, 'database')} offline`);
  } catch (thrown) {
    const error = toPublicError(thrown);
    isOver = true;
    say(error.code === 'ERR_LOCKED' ? 'busy' : 'refused', statusOf(error), `${error.code}: ${error.message}`);
    process.exit(1);
  }
}

async function finish(): Promise<void> {
  try {
    if (!restore) throw new DominoVssError('ERR_STATE', { message: 'nothing has begun' });
    const report = await restore.finish((number) => restored.get(number) ?? 'failed');
    isOver = true;
    const { failures } = report;
    for (const number of new Set(failures.map(({ component }) => component))) {
      say('component', number, describe(failures.filter(({ component }) => component === number)));
    }
    const text = failures.length === 0 ? `restored ${counted(report.restored.length, 'database')}` : describe(failures);
    const status = failures.find((failure) => failure.status !== 0)?.status ?? 0;
    say(failures.length === 0 ? 'done' : 'failed', status, text, printableJson(JSON.stringify(report)));
    process.exit(0);
  } catch (thrown) {
    const error = toPublicError(thrown);
    isOver = true;
    say('failed', statusOf(error), `${error.code}: ${error.message}`);
    process.exit(1);
  }
}

/** Nobody is left who could say how the restore ended. */
async function giveUp(why: string): Promise<void> {
  if (isOver) return;
  isOver = true;
  try {
    const report = await restore?.giveUp();
    const { failures = [] } = report ?? {};
    const text = failures.length === 0 ? `${why}; no database was replaced` : `${why}; ${describe(failures)}`;
    say('failed', 0, text, ...(report ? [printableJson(JSON.stringify(report))] : []));
  } catch (thrown) {
    const error = toPublicError(thrown);
    say('failed', statusOf(error), `${why}; ${error.code}: ${error.message}`);
  }
  process.exit(1);
}

let work: Promise<void> = Promise.resolve();

function hear(line: string): void {
  const [word = '', number = '', ...fields] = line.split('\t');
  if (word === 'component')
    components.push({ number: Number(number), name: fields[0] ?? '', metadata: fields[1] ?? '' });
  if (word === 'restored') restored.set(Number(number), fields[0] as FilesRestored);
  if (word === 'begin') work = work.then(begin);
  if (word === 'finish') work = work.then(finish);
}

// Only a line feed ends a line. node:readline also splits at U+2028, which a field from a requester's document may contain.
let unread = '';
process.stdin
  .setEncoding('utf8')
  .on('data', (text: string) => {
    const lines = (unread + text).split('\n');
    unread = lines.pop() ?? '';
    lines.forEach(hear);
  })
  .on('end', () => {
    work = work.then(() => giveUp('the writer that started the restore has ended'));
  });
setTimeout(() => {
  work = work.then(() => giveUp('the requester did not end the restore in time'));
}, options.totalMs).unref();
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
