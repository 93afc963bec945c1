// What the doctor finds about the shadow storage of a data directory, as a line of JSON.
//
//   node doctor-program.js <directory for a data directory>

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runDoctor } from '#lib/doctor/doctor';
import { loadBinding } from '#lib/native/binding';
import { answer } from './lines';

async function main(): Promise<void> {
  const [directory = ''] = process.argv.slice(2);
  const data = join(directory, 'doctor-data');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'names.nsf'), Buffer.from([0x1a, 0, 0, 0]));
  const notesIni = join(directory, 'notes.ini');
  writeFileSync(notesIni, `Directory=${data}\r\n`);
  const { checks } = await runDoctor(loadBinding, { domino: { programDirectory: directory, notesIni } });
  answer(checks.find(({ name }) => name === 'shadow storage'));
}

void main();
