// A program that opens the Domino runtime and reports the result; the tests run it with a specific environment.
//
//   node environment-program.js <program directory> <notes.ini> <delta directory> [<another notes.ini first>]

import { beginBackup, isDominoVssError } from '#lib/index';

/** What the program prints, as JSON: one outcome for each notes.ini. */
export type Outcome = { readonly opened: true } | { readonly opened: false; readonly error: Record<string, unknown> };

// Whether the program directory is trusted regardless of who can write to it.
const trustProgramDirectory = process.env['TRUST_PROGRAM'] === '1';

const [programDirectory = '', notesIni = '', deltaDirectory = '', firstNotesIni] = process.argv.slice(2);

async function open(ini: string): Promise<Outcome> {
  try {
    const backup = await beginBackup({
      domino: { programDirectory, notesIni: ini, trustProgramDirectory },
      deltaDirectory,
    });
    await backup.dispose();
    return { opened: true };
  } catch (error) {
    if (!isDominoVssError(error)) throw error;
    return { opened: false, error: error.toJSON() };
  }
}

async function main(): Promise<void> {
  const outcomes: Outcome[] = [];
  if (firstNotesIni !== undefined) outcomes.push(await open(firstNotesIni));
  outcomes.push(await open(notesIni));
  process.stdout.write(JSON.stringify(outcomes));
}

void main();
