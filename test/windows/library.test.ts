// Every wrong nnotes.dll has its own error and message. Each case is a separate process, as on Linux, because the runtime
// can be opened once per process. For what the loader of Linux refuses, see integration/environment.linux.test.ts.

import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningProcess } from '../integration/command-line';
import type { Outcome } from '../integration/environment-program';
import { SimulatedDomino } from '../integration/simulated-domino';

let domino: SimulatedDomino;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 2, plainNames: true });
});

afterAll(async () => {
  await domino.expectQuiet();
  await domino[Symbol.asyncDispose]();
});

async function open(
  programDirectory: string,
  notesIni = domino.simulation.notesIni,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const program = join(__dirname, '..', 'integration', 'environment-program.js');
  const args = [program, programDirectory, notesIni, domino.deltaDirectory];
  const { code, stdout, stderr } = await new RunningProcess(process.execPath, args, { env: { ...process.env, ...env } })
    .ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [outcome] = JSON.parse(stdout) as Outcome[];
  if (outcome === undefined) throw new Error('nothing was said');
  return outcome;
}

async function refusal(programDirectory: string, notesIni?: string): Promise<Record<string, unknown>> {
  const outcome = await open(programDirectory, notesIni);
  if (outcome.opened) throw new Error('the runtime was opened');
  return outcome.error;
}

/** A program directory that can be damaged. */
function copyOfProgram(name: string, parent = domino.home): { readonly directory: string; readonly library: string } {
  const directory = join(parent, name);
  rmSync(directory, { recursive: true, force: true });
  // Renamed afterwards: on Windows, cpSync() of Node.js 22 garbles names that are not ASCII.
  const plain = join(parent, 'program');
  cpSync(domino.simulation.programDirectory, plain, { recursive: true });
  renameSync(plain, directory);
  return { directory, library: join(directory, 'nnotes.dll') };
}

/** Makes a library look like one for another machine. */
function changeMachine(library: string, machine: number): void {
  const image = readFileSync(library);
  const headers = image.readUInt32LE(0x3c);
  expect(image.toString('latin1', headers, headers + 4)).toBe('PE\0\0');
  expect(image.readUInt16LE(headers + 4)).toBe(0x8664);
  image.writeUInt16LE(machine, headers + 4);
  writeFileSync(library, image);
}

test('a library in a program directory of its own is accepted', async () => {
  // Otherwise the refusals below might have another reason than the damage.
  const { directory } = copyOfProgram('Domino Ünïcode');
  expect(await open(directory)).toEqual({ opened: true });
});

test.each<[string, number, string]>([
  ['32-bit', 0x014c, '32-bit (x86)'],
  ['ARM64', 0xaa64, '64-bit (ARM64)'],
])('a library that is %s', async (name, machine, words) => {
  const { directory, library } = copyOfProgram(name);
  changeMachine(library, machine);
  expect(await refusal(directory)).toMatchObject({
    code: 'ERR_DOMINO_BITNESS',
    message: expect.stringContaining(`the library is ${words}, this Node.js is 64-bit (x64)`),
    hint: expect.stringContaining('same architecture'),
  });
});

test('a file that is no library', async () => {
  const { directory, library } = copyOfProgram('text');
  writeFileSync(library, 'no library at all\n');
  expect(await refusal(directory)).toMatchObject({
    code: 'ERR_DOMINO_BITNESS',
    message: expect.stringContaining('it is not a library'),
  });
});

test('a library without one that it needs', async () => {
  const { directory } = copyOfProgram('alone');
  rmSync(join(directory, 'ndgts.dll'));
  expect(await refusal(directory)).toMatchObject({ code: 'ERR_DOMINO_ENVIRONMENT' });
});

test('a library that lacks the functions that are needed', async () => {
  const { directory, library } = copyOfProgram('poor');
  cpSync(join(directory, 'ndgts.dll'), library);
  const { code, message } = await refusal(directory);
  expect(code).toBe('ERR_DOMINO_LIBRARY');
  expect(message).toMatch(/functions are missing: .*NSFBackupStart/);
});

test('no library', async () => {
  const directory = join(domino.home, 'nowhere');
  mkdirSync(directory);
  expect(await refusal(directory)).toMatchObject({
    code: 'ERR_DOMINO_LIBRARY',
    message: `nnotes.dll not found; looked for: ${join(directory, 'nnotes.dll')}`,
  });
});

test('a library that ordinary users can replace', async () => {
  // The runner made this directory writable for everybody, which Node.js cannot do on Windows.
  const parent = join(__dirname, '..', '..', 'windows', 'writable');
  expect(existsSync(parent)).toBe(true);
  const { directory } = copyOfProgram('program', parent);
  expect(await refusal(directory)).toMatchObject({
    code: 'ERR_DOMINO_LIBRARY_UNSAFE',
    message: expect.stringMatching(
      /ordinary users can write to it, so the library is not loaded: icacls "[^"]+" \/inheritance:d .*"\*S-1-5-32-545:\(OI\)\(CI\)\(RX\)"$/,
    ),
    hint: expect.stringContaining('--trust-program'),
  });
  expect(await open(directory, undefined, { TRUST_PROGRAM: '1' })).toEqual({ opened: true });
  rmSync(directory, { recursive: true });
});

test('notes.ini without a data directory, or nowhere', async () => {
  const program = domino.simulation.programDirectory;
  const empty = join(domino.home, 'empty.ini');
  writeFileSync(empty, '[Notes]\r\nKeyFilename=server.id\r\n');
  expect(await refusal(program, empty)).toMatchObject({
    code: 'ERR_DOMINO_NOTES_INI',
    message: `${empty} has no setting "Directory", which names the data directory`,
  });
  const nowhere = join(domino.home, 'no.ini');
  expect(await refusal(program, nowhere)).toMatchObject({
    code: 'ERR_DOMINO_NOTES_INI',
    message: `notes.ini not found; looked for: ${nowhere}`,
  });
});
