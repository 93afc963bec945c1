// Every wrong environment has its own error with its own text. Each case is a separate process: a process can open the runtime
// only once, and the dynamic loader reads its search path only when a process starts. The time limit of 60 s for an
// initialisation that hangs is not tested here, because it would take that long.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunningProcess } from './command-line';
import type { Outcome } from './environment-program';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 2, plainNames: true });
});

afterEach(async () => {
  await domino.simulation.clearFaults();
  await domino.expectQuiet();
});

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
});

interface Case {
  readonly programDirectory?: string;
  readonly notesIni?: string;
  readonly firstNotesIni?: string;
  readonly trusted?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

async function openAll({ programDirectory, notesIni, firstNotesIni, trusted, env }: Case): Promise<Outcome[]> {
  const program = programDirectory ?? domino.simulation.programDirectory;
  const ini = notesIni ?? domino.simulation.notesIni;
  const args = [join(__dirname, 'environment-program.js'), program, ini, domino.deltaDirectory];
  const { code, signal, stdout, stderr } = await new RunningProcess(
    process.execPath,
    [...args, ...(firstNotesIni === undefined ? [] : [firstNotesIni])],
    { env: { LD_LIBRARY_PATH: program, TRUST_PROGRAM: trusted === true ? '1' : '', ...env } },
  ).ended;
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout) as Outcome[];
}

/** The error of an attempt to open the runtime. */
async function refusal(wrong: Case): Promise<Record<string, unknown>> {
  const [outcome] = await openAll(wrong);
  if (outcome?.opened !== false) throw new Error('the runtime was opened');
  return outcome.error;
}

/** A program directory that can be damaged. */
function copyOfProgram(name: string): { readonly directory: string; readonly library: string } {
  const directory = join(domino.home, name);
  cpSync(domino.simulation.programDirectory, directory, { recursive: true });
  return { directory, library: join(directory, 'libnotes.so') };
}

function writeNotesIni(name: string, ...lines: readonly string[]): string {
  const directory = join(domino.home, name);
  mkdirSync(directory);
  const file = join(directory, 'notes.ini');
  writeFileSync(file, ['[Notes]', 'SIM_ALLOW_ROOT=1', ...lines, ''].join('\n'));
  return file;
}

const asRoot = process.getuid?.() === 0 ? test : test.skip;

describe('the library', () => {
  test('in a program directory of its own is accepted', async () => {
    // Otherwise each refusal below might have a different cause than this damage.
    const { directory } = copyOfProgram('good');
    expect(await openAll({ programDirectory: directory })).toEqual([{ opened: true }]);
  });

  test('that is missing', async () => {
    const programDirectory = join(domino.home, 'nowhere');
    expect(await refusal({ programDirectory })).toMatchObject({
      code: 'ERR_DOMINO_LIBRARY',
      message: `libnotes.so not found; looked for: ${programDirectory}/libnotes.so`,
      hint: expect.stringContaining('Name the Domino program directory'),
    });
  });

  test('that ordinary users can replace, in a directory or by writing to it', async () => {
    const { directory, library } = copyOfProgram('writable');
    const words = 'ordinary users can write to it, so the library is not loaded';
    chmodSync(directory, 0o777);
    expect(await refusal({ programDirectory: directory })).toMatchObject({
      code: 'ERR_DOMINO_LIBRARY_UNSAFE',
      message: `${directory}: ${words}: chmod o-w '${directory}'`,
      hint: expect.stringContaining('--trust-program'),
    });
    chmodSync(directory, 0o755);
    chmodSync(library, 0o757);
    expect(await refusal({ programDirectory: directory })).toMatchObject({
      code: 'ERR_DOMINO_LIBRARY_UNSAFE',
      message: `${library}: ${words}: chmod o-w '${library}'`,
    });
    chmodSync(library, 0o644);
    expect(await openAll({ programDirectory: directory })).toEqual([{ opened: true }]);
  });

  test('that ordinary users can replace, unless it is trusted all the same', async () => {
    const { directory, library } = copyOfProgram('trusted');
    chmodSync(directory, 0o777);
    expect(await openAll({ programDirectory: directory, trusted: true })).toEqual([{ opened: true }]);
    // The option lifts only this check.
    truncateSync(library, 0);
    expect(await refusal({ programDirectory: directory, trusted: true })).toMatchObject({ code: 'ERR_DOMINO_LIBRARY' });
  });

  test('below a directory that ordinary users can replace', async () => {
    const above = join(domino.home, 'above');
    mkdirSync(above);
    const { directory } = copyOfProgram('above/program');
    chmodSync(above, 0o777);
    expect(await refusal({ programDirectory: directory })).toMatchObject({
      code: 'ERR_DOMINO_LIBRARY_UNSAFE',
      message: expect.stringContaining(`${above}: ordinary users can write to it`),
    });
    // In a sticky directory such as /tmp, files are safe from other users although everybody can write to it.
    chmodSync(above, 0o1777);
    expect(await openAll({ programDirectory: directory })).toEqual([{ opened: true }]);
  });

  asRoot('that belongs to another user, or that a foreign group may write to', async () => {
    const { directory, library } = copyOfProgram('foreign');
    chownSync(library, 4711, 0);
    expect(await refusal({ programDirectory: directory })).toMatchObject({
      code: 'ERR_DOMINO_LIBRARY_UNSAFE',
      message: `${library}: it belongs to another ordinary user, so the library is not loaded: chown root '${library}'`,
    });
    chownSync(library, 0, 4711);
    chmodSync(library, 0o777);
    expect(await refusal({ programDirectory: directory })).toMatchObject({
      code: 'ERR_DOMINO_LIBRARY_UNSAFE',
      message: `${library}: ordinary users can write to it, so the library is not loaded: chmod go-w '${library}'`,
    });
  });

  test('that finds no library it depends on, for want of LD_LIBRARY_PATH', async () => {
    expect(await refusal({ env: { LD_LIBRARY_PATH: '' } })).toMatchObject({
      code: 'ERR_DOMINO_ENVIRONMENT',
      message: expect.stringContaining('libndgts.so: cannot open shared object file'),
      hint: expect.stringContaining('LD_LIBRARY_PATH'),
    });
  });

  test('of another word length', async () => {
    const { directory, library } = copyOfProgram('narrow');
    const descriptor = openSync(library, 'r+');
    writeSync(descriptor, Uint8Array.of(1), 0, 1, 4); // EI_CLASS = ELFCLASS32
    closeSync(descriptor);
    expect(await refusal({ programDirectory: directory })).toMatchObject({
      code: 'ERR_DOMINO_BITNESS',
      message: expect.stringContaining('wrong ELF class'),
      hint: expect.stringContaining('same architecture'),
    });
  });

  test('of another machine type', async () => {
    const { directory, library } = copyOfProgram('foreign');
    const descriptor = openSync(library, 'r+');
    writeSync(descriptor, Uint8Array.of(183, 0), 0, 2, 18); // e_machine = EM_AARCH64
    closeSync(descriptor);
    expect(await refusal({ programDirectory: directory })).toMatchObject({ code: 'ERR_DOMINO_BITNESS' });
  });

  test('that is something else', async () => {
    const { directory, library } = copyOfProgram('text');
    rmSync(library);
    writeFileSync(library, 'no library at all, but long enough to be looked at as one by the dynamic loader\n');
    expect(await refusal({ programDirectory: directory })).toMatchObject({
      code: 'ERR_DOMINO_LIBRARY',
      message: expect.stringContaining('invalid ELF header'),
    });
  });

  test('without the functions that are needed', async () => {
    const { directory, library } = copyOfProgram('poor');
    const source = join(domino.home, 'poor.c');
    writeFileSync(source, 'int NotesInitExtended(void) { return 0; }\n');
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source]);
    const { code, message } = await refusal({ programDirectory: directory });
    expect(code).toBe('ERR_DOMINO_LIBRARY');
    expect(message).toMatch(/functions are missing: NotesTerm, .*NSFBackupStart, .*OSCurrentTIMEDATE$/);
    expect(message).not.toContain('NotesInitExtended');
  });
});

describe('notes.ini', () => {
  test('that is missing', async () => {
    const notesIni = join(domino.home, 'no.ini');
    expect(await refusal({ notesIni })).toMatchObject({
      code: 'ERR_DOMINO_NOTES_INI',
      message: `notes.ini not found; looked for: ${notesIni}`,
      hint: expect.stringContaining('--ini'),
    });
  });

  test('that Domino does not find', async () => {
    await domino.simulation.fault('NotesInitExtended:1=0x01A5');
    expect(await refusal({})).toMatchObject({
      name: 'DominoError',
      code: 'ERR_DOMINO_NOTES_INI',
      status: 0x01a5,
      statusName: 'ERR_NO_NOTESINI',
      operation: 'NotesInitExtended',
    });
  });

  test('that names no data directory', async () => {
    const notesIni = writeNotesIni('empty', 'KeyFilename=server.id');
    // Even without the library path: the first problem is reported first.
    expect(await refusal({ notesIni, env: { LD_LIBRARY_PATH: '' } })).toMatchObject({
      code: 'ERR_DOMINO_NOTES_INI',
      message: `${notesIni} has no setting "Directory", which names the data directory`,
    });
  });

  test('whose data directory does not exist', async () => {
    const notesIni = writeNotesIni('gone', 'Directory=/nowhere/at/all');
    expect(await refusal({ notesIni })).toMatchObject({
      name: 'DominoError',
      code: 'ERR_DOMINO_INIT',
      status: 0x0142,
      statusName: 'ERR_SETUP_NOT_DONE',
      hint: expect.stringContaining('notes.ini names no data directory'),
    });
  });
});

describe('the runtime', () => {
  asRoot('refuses root', async () => {
    expect(await refusal({ env: { SIM_ALLOW_ROOT: '0' } })).toMatchObject({
      name: 'DominoError',
      code: 'ERR_DOMINO_USER',
      status: 0x01ed,
      statusHex: '0x01ED',
      statusName: 'ERR_USER_ROOT',
      text: expect.stringContaining('refuses to run as root'),
      hint: expect.stringContaining('the owner of the data directory'),
    });
  });

  test('that fails for another reason says which, with advice of its own', async () => {
    await domino.simulation.fault('NotesInitExtended:1=0x0143');
    const error = await refusal({});
    expect(error).toMatchObject({
      name: 'DominoError',
      code: 'ERR_DOMINO_INIT',
      status: 0x0143,
      statusName: 'ERR_MEMORY_WENT_AWAY',
      operation: 'NotesInitExtended',
      database: domino.simulation.notesIni,
      hint: 'Another Domino process has crashed; restart the server.',
    });
    expect(error['text']).not.toBe('');
  });

  test('that cannot convert the name of its data directory fails, and the process goes on', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'Δεδομένα-'));
    try {
      await using named = await SimulatedDomino.create({ databases: 2, plainNames: true }, parent);
      const { programDirectory, notesIni } = named.simulation;
      expect(await openAll({ programDirectory, notesIni })).toEqual([{ opened: true }]);
      await named.simulation.fault('OSTranslate:1+=0x0107');
      const [first, second] = await openAll({ programDirectory, notesIni, firstNotesIni: notesIni });
      await named.simulation.clearFaults();
      expect(first).toMatchObject({
        opened: false,
        error: {
          code: 'ERR_DOMINO_INIT',
          message: expect.stringMatching(/^OSTranslate on .*: Domino cannot convert this text$/u),
        },
      });
      // Its runtime has been terminated properly, and cannot be started again.
      expect(second).toMatchObject({ opened: false, error: { code: 'ERR_DOMINO_RUNTIME_BUSY' } });
      await named.expectQuiet();
    } finally {
      rmSync(parent, { recursive: true });
    }
  });

  test('can be opened after an attempt that failed, in the same process', async () => {
    const firstNotesIni = writeNotesIni('first', 'Directory=/nowhere/at/all');
    const [first, second] = await openAll({ firstNotesIni });
    expect(first).toMatchObject({ opened: false, error: { status: 0x0142 } });
    expect(second).toEqual({ opened: true });
  });
});
