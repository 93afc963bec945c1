import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { daosDirectory } from '#lib/domino/environment';
import {
  findInstallation,
  findNotesIni,
  hasLibraryPath,
  libraryName,
  missingEnvironment,
  NotesIni,
  requiredEnvironment,
} from '#lib/domino/environment';
import { locateDatabase } from '#lib/domino/links';
import type { NativeRegistration } from '#lib/native/session';
import { linuxTest } from '../../platform';

let root: string;
let program: string;
let data: string;
let ini: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'domino-vss-environment-')));
  program = join(root, 'program');
  data = join(root, 'data');
  ini = join(data, 'notes.ini');
  for (const directory of [program, data]) mkdirSync(directory);
  writeFileSync(join(program, libraryName), '');
  writeFileSync(ini, `[Notes]\r\nDIRECTORY=${data}/\r\nKeyFilename=server.id\r\n\r\nDAOSEnable=1\r\n`);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function thrownBy(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

const usualLibrary =
  process.platform === 'win32'
    ? 'C:\\Program Files\\HCL\\Domino\\nnotes.dll'
    : '/opt/hcl/domino/notes/latest/linux/libnotes.so';

describe('an installation is found', () => {
  test('by options, before the environment', () => {
    const env = { Notes_ExecDirectory: '/elsewhere', NOTES_INI: '/elsewhere/notes.ini' };
    expect(findInstallation({ programDirectory: program, notesIni: ini }, env)).toEqual({
      programDirectory: program,
      notesIni: ini,
    });
  });

  test('by the environment', () => {
    const expected = { programDirectory: program, notesIni: ini };
    expect(findInstallation({}, { Notes_ExecDirectory: program, NOTES_INI: ini })).toEqual(expected);
    expect(findInstallation({}, { Notes_ExecDirectory: program, Directory: data })).toEqual(expected);
    expect(findInstallation({}, { Notes_ExecDirectory: program, PATH: `/bin${delimiter}${data}` })).toEqual(expected);
  });

  describe('by the registry of Windows', () => {
    const registration =
      (partial: Partial<NativeRegistration> = {}) =>
      () => ({
        programDirectory: program,
        dataDirectory: data,
        services: ['Lotus Domino Server (data)'],
        ...partial,
      });

    test('after the environment and before the usual places', () => {
      const elsewhere = join(root, 'elsewhere');
      mkdirSync(elsewhere);
      for (const name of [libraryName, 'notes.ini']) writeFileSync(join(elsewhere, name), '');
      const expected = { programDirectory: program, notesIni: ini };
      expect(findInstallation({}, { PATH: elsewhere }, registration())).toEqual(expected);
      const env = { Notes_ExecDirectory: elsewhere, Directory: elsewhere };
      const said = { programDirectory: elsewhere, notesIni: join(elsewhere, 'notes.ini') };
      expect(findInstallation({}, env, registration())).toEqual(said);
      expect(findInstallation(said, {}, registration())).toEqual(said);
      // A registered installation that does not exist is looked for elsewhere.
      const gone = registration({ programDirectory: join(root, 'gone'), dataDirectory: '' });
      expect(findNotesIni({}, { PATH: elsewhere }, undefined, gone)).toBe(join(elsewhere, 'notes.ini'));
    });

    test('beside the programs, where a single server has it', () => {
      renameSync(ini, join(program, 'notes.ini'));
      expect(findNotesIni({}, {}, program, registration())).toBe(join(program, 'notes.ini'));
    });

    test('several servers are named and none is guessed', () => {
      const services = ['Lotus Domino Server (a)', 'HCL Domino Server (b)'];
      expect(thrownBy(() => findInstallation({}, {}, registration({ services })))).toMatchObject({
        code: 'ERR_DOMINO_SEVERAL',
        message: expect.stringContaining(services.join(', ')) as string,
      });
      // All partitions share their programs.
      const expected = { programDirectory: program, notesIni: ini };
      expect(findInstallation({ notesIni: ini }, {}, registration({ services }))).toEqual(expected);
      expect(findInstallation({}, { NOTES_INI: ini }, registration({ services }))).toEqual(expected);
    });

    test('several notes.ini files are named, too', () => {
      writeFileSync(join(program, 'notes.ini'), '');
      expect(thrownBy(() => findNotesIni({}, {}, program, registration()))).toMatchObject({
        code: 'ERR_DOMINO_SEVERAL',
        message: expect.stringContaining(`${ini}, ${join(program, 'notes.ini')}`) as string,
      });
    });
  });

  test('or the error says where it was looked for', () => {
    expect(thrownBy(() => findInstallation({}, { Notes_ExecDirectory: '/nowhere' }))).toMatchObject({
      code: 'ERR_DOMINO_LIBRARY',
      message: expect.stringContaining(`${join('/nowhere', libraryName)}, ${usualLibrary}`) as string,
    });
    expect(() => findInstallation({ programDirectory: data }, {})).toThrow(join(data, libraryName));
    // Each place once, also if the search path names it several times.
    const twice = { PATH: [program, program].join(delimiter) };
    const { message } = thrownBy(() => findNotesIni({}, twice)) as Error;
    expect(message.split(join(program, 'notes.ini'))).toHaveLength(2);
    expect(thrownBy(() => findNotesIni({ notesIni: '/nowhere.ini' }, { NOTES_INI: ini }))).toMatchObject({
      code: 'ERR_DOMINO_NOTES_INI',
    });
  });
});

describe('notes.ini', () => {
  test('is read without regard to the case of names', () => {
    const notesIni = new NotesIni(ini);
    expect(notesIni.get('keyfilename')).toBe('server.id');
    expect(notesIni.get('missing')).toBe('');
    expect(notesIni.dataDirectory).toBe(data);
  });

  test('without a data directory, or unreadable, is an error in words', () => {
    writeFileSync(ini, 'Directory=\n');
    expect(() => new NotesIni(ini).dataDirectory).toThrow('has no setting "Directory"');
    expect(thrownBy(() => new NotesIni(data))).toMatchObject({ code: 'ERR_DOMINO_NOTES_INI' });
  });

  test('tells where DAOS keeps its objects', () => {
    expect(daosDirectory(new NotesIni(ini), data)).toBe(join(data, 'DAOS'));
    writeFileSync(ini, `Directory=${data}\nDAOSBasePath=/daos\n`);
    expect(daosDirectory(new NotesIni(ini), data)).toBe(resolve(data, '/daos'));
    writeFileSync(ini, `Directory=${data}\n`);
    expect(daosDirectory(new NotesIni(ini), data)).toBe('');
  });
});

linuxTest('the environment a process needs is complete, and keeps what was there', () => {
  const installation = { programDirectory: program, notesIni: ini };
  const before = { LD_LIBRARY_PATH: '/lib/mine', PATH: `/bin:${program}` };
  const needed = requiredEnvironment(installation, before);
  expect(needed).toEqual({
    LD_LIBRARY_PATH: `${program}:/lib/mine`,
    Notes_ExecDirectory: program,
    PATH: `/bin:${program}:${program}/res/C:${data}`,
    Directory: data,
  });
  expect(missingEnvironment(installation, before)).toEqual(Object.keys(needed));
  expect(missingEnvironment(installation, { ...before, ...needed })).toEqual([]);
  expect(hasLibraryPath(program, before)).toBe(false);
  expect(hasLibraryPath(program, needed)).toBe(true);
});

describe('a database is located', () => {
  test('in the data directory, whether it exists or not', async () => {
    mkdirSync(join(data, 'mail'));
    writeFileSync(join(data, 'mail/ada.nsf'), Buffer.from([0x1a, 0, 0, 4]));
    expect(await locateDatabase(data, 'mail/ada.nsf')).toBe(join(data, 'mail/ada.nsf'));
    expect(await locateDatabase(data, 'gone/too.nsf')).toBe(join(data, 'gone/too.nsf'));
  });

  test('through declared links', async () => {
    writeFileSync(join(data, 'ext.dir'), '/mnt/ext\n');
    writeFileSync(join(data, 'far.nsf'), '/mnt/other/far\nCN=admin\n');
    expect(await locateDatabase(data, 'ext/a/b.nsf')).toBe(join('/mnt/ext/a/b.nsf'));
    expect(await locateDatabase(data, 'far.nsf')).toBe('/mnt/other/far.nsf');
  });

  test.each(['../x.nsf', 'mail/../../x.nsf', '/etc/passwd', 'mail/', '', '..'])('but %j is refused', async (path) => {
    await expect(locateDatabase(data, path)).rejects.toMatchObject({ code: 'ERR_RESTORE_TARGET' });
  });
});
