import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { checkLine, checkLineBytes } from '#lib/store/journal-format';

/** The text of a journal with its last line. */
export function sealed(lines: string): string {
  return lines + checkLine(createHash('sha256').update(lines));
}

/** Whether its last line is that of the others. */
export function isWhole(file: string): boolean {
  const text = readFileSync(file, 'utf8');
  return sealed(text.slice(0, -checkLineBytes)) === text;
}

/** Makes it say something else, and a sound journal again. */
export function changeJournal(file: string, change: (lines: string) => string): void {
  writeFileSync(file, sealed(change(readFileSync(file, 'utf8').slice(0, -checkLineBytes))));
}
