import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  promises,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as binding from '#lib/native/binding';
import type { NativeBinding } from '#lib/native/session';
import { Journal, newWorkId, type OpenedJournal } from '#lib/store/journal';
import { checkLineBytes, type JournalHead } from '#lib/store/journal-format';
import {
  describeUnusable,
  journalDirectory,
  leftOversOfProcess,
  noteEndedWork,
  readJournalLists,
  readJournals,
} from '#lib/store/journals';
import * as machine from '#lib/store/machine-identity';
import { describeLeftOver } from '#lib/store/left-over';
import { changeJournal, sealed } from '../../journal-text';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-journal-'));
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

const work = (id = newWorkId()): Pick<JournalHead, 'id' | 'work' | 'dataDirectory' | 'backupDirectory'> => ({
  id,
  work: 'backup',
  dataDirectory: '/data',
  backupDirectory: `/delta/${id}`,
});

const open = (about = work()): Promise<OpenedJournal> => Journal.open({ ...about, deltaDirectory: directory });

/** The journal of a dead process, whose number may belong to another one by now. */
function writeDead(change: Partial<JournalHead> = {}): string {
  const id = newWorkId();
  const head: JournalHead = {
    format: 1,
    ...work(id),
    pid: process.pid,
    processStart: '1',
    boot: '',
    host: hostname(),
    created: '2026-01-01T00:00:00.000Z',
    provider: 'btrfs',
    shadows: ['/mnt/.domino-vss/a/0'],
    volumes: [],
    snapshotSet: '',
    pendingHook: '',
    hook: null,
    exposures: [],
    stoppedService: '',
    databasesInBackupMode: 2,
    copiedFiles: 0,
    restoring: [],
    restorePhase: 'replacing',
    temporaryFiles: [],
    newDirectories: [],
    ended: false,
    ...change,
  };
  mkdirSync(journalDirectory(directory), { recursive: true });
  const file = join(journalDirectory(directory), `${id}.journal`);
  const databases = ['"names.nsf"\n', '"log.nsf"\n'].slice(0, head.databasesInBackupMode).join('');
  writeFileSync(file, sealed(`${JSON.stringify(head)}\n${databases}`));
  return file;
}

test('a journal names what is about to be done and goes with it', async () => {
  const { journal, leftOvers } = await open(work('20260101T000000Z-000000'));
  expect(leftOvers).toEqual([]);
  await journal.update({ shadows: ['/s'] }, ['names.nsf', 'Büro/ñ.nsf']);
  const file = join(journalDirectory(directory), '20260101T000000Z-000000.journal');
  const [head, ...paths] = readFileSync(file, 'utf8').slice(0, -checkLineBytes).trimEnd().split('\n');
  expect(JSON.parse(head!)).toMatchObject({ pid: process.pid, shadows: ['/s'], databasesInBackupMode: 2 });
  expect(paths.map((line) => JSON.parse(line) as string)).toEqual(['names.nsf', 'Büro/ñ.nsf']);
  await journal.update({ exposures: ['/x'] });
  expect(readFileSync(file, 'utf8')).toContain('"names.nsf"');
  await journal.remove();
  expect(readdirSync(journalDirectory(directory))).toEqual([]);
});

test('one that is removed is not written again', async () => {
  const { journal } = await open();
  const written = journal.update({ exposures: ['/x'] });
  const removed = journal.remove();
  await expect(journal.update({ exposures: [] })).rejects.toMatchObject({ code: 'ERR_STATE' });
  await Promise.all([written, removed]);
  expect(readdirSync(journalDirectory(directory))).toEqual([]);
});

test('one that is begun again under the name of one that has ended locks again', async () => {
  const about = work();
  const { journal } = await open(about);
  await journal.update({ ended: true });
  noteEndedWork(journal.leftOver.journal);
  const { journal: again } = await open(about);
  await expect(open()).rejects.toMatchObject({ code: 'ERR_LOCKED' });
  await again.remove();
});

test('a live one locks its data directory and no other', async () => {
  const { journal } = await open();
  await expect(open()).rejects.toMatchObject({ code: 'ERR_LOCKED' });
  const other = await open({ ...work(), dataDirectory: '/other' });
  await other.journal.remove();
  await journal.remove();
  const again = await open();
  await again.journal.remove();
});

test('of two at the same time, at most one gets the lock', async () => {
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => open()));
  expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
});

test('one of a dead process is reported and not touched by who opens another', async () => {
  const dead = writeDead();
  const before = readFileSync(dead, 'utf8');
  const { journal, leftOvers } = await open();
  expect(leftOvers).toEqual([expect.objectContaining({ journal: dead, databasesInBackupMode: 2 })]);
  expect(describeLeftOver(leftOvers[0]!)).toContain(
    'up to 2 databases may still be in backup mode until the server restarts; shadows may be left: /mnt/.domino-vss/a/0',
  );
  await journal.remove();
  expect(readFileSync(dead, 'utf8')).toBe(before);
});

test('says what a restore and a stopped service have left', () => {
  writeDead({
    stoppedService: 'domino.service',
    databasesInBackupMode: 0,
    exposures: ['/mnt/b'],
    pendingHook: 'lvm',
    restoring: [
      {
        file: '/data/x.nsf',
        original: '/data/x.nsf.domino-vss-original',
        temporary: '/data/x.nsf.domino-vss-restore',
        offline: true,
        hadOriginal: true,
        copy: '1:2 3 4',
      },
    ],
    temporaryFiles: Array.from({ length: 12 }, (_value, index) => `/data/${index}.nsf.domino-vss-restore`),
  });
  return readJournals(directory, '/data').then(({ leftOvers }) => {
    const text = describeLeftOver(leftOvers[0]!);
    expect(text).toContain('the service domino.service may still be stopped');
    expect(text).toContain('shadows may be exposed at /mnt/b');
    expect(text).toContain('the hook lvm had not answered: its snapshot may exist, or may still be created');
    expect(text).toContain('/data/x.nsf may be offline, its original is /data/x.nsf.domino-vss-original');
    expect(text).toMatch(
      /files that are no longer needed may be left: \/data\/0\.nsf\.domino-vss-restore, .*, and 2 more/,
    );
    expect(text).not.toContain('backup mode');
  });
});

test('one whose work has ended locks nothing, even while its process lives', async () => {
  const { journal } = await open();
  await journal.update({ ended: true, shadows: ['/could/not/be/removed'] });
  const { journal: next, leftOvers } = await open();
  expect(leftOvers).toEqual([expect.objectContaining({ shadows: ['/could/not/be/removed'] })]);
  await next.remove();
});

test('one of another host is named and left alone', async () => {
  const file = writeDead({ host: 'elsewhere' });
  const { journal, leftOvers, unusable } = await open();
  expect(leftOvers).toEqual([]);
  expect(unusable).toEqual([expect.objectContaining({ journal: file, movedTo: '' })]);
  expect(describeUnusable(unusable[0]!)).toContain('to the host elsewhere');
  expect(existsSync(file)).toBe(true);
  await journal.remove();
});

describe('of a machine that is known by more than its name', () => {
  beforeEach(() => {
    jest.spyOn(machine, 'ownMachine').mockReturnValue(['this', 'too']);
  });

  test('one from before the machine was renamed is its own', async () => {
    const file = writeDead({ host: 'earlier-name', machine: ['this'] });
    const { journal, leftOvers, unusable } = await open();
    expect({ leftOvers, unusable }).toEqual({ leftOvers: [expect.objectContaining({ journal: file })], unusable: [] });
    await journal.remove();
    expect(await leftOversOfProcess(directory, process.pid)).toMatchObject({ leftOvers: [{ journal: file }] });
  });

  test('one of a clone with the same name is named and left alone', async () => {
    const file = writeDead({ machine: ['clone'] });
    const { journal, leftOvers, unusable } = await open();
    expect(leftOvers).toEqual([]);
    expect(unusable).toEqual([expect.objectContaining({ journal: file, movedTo: '', mayBeLive: true })]);
    expect(describeUnusable(unusable[0]!)).toContain(`to another machine named ${hostname()} (`);
    await journal.remove();
  });

  test('its own journals tell which one it is', async () => {
    const { journal } = await open();
    expect((await readJournals(directory, '/data')).live).toMatchObject([{ machine: ['this', 'too'] }]);
    await journal.remove();
  });
});

test('one of the last start of the system is dead, whatever process has its number and its time now', async () => {
  const { journal } = await open();
  const file = join(journalDirectory(directory), readdirSync(journalDirectory(directory))[0]!);
  const head = JSON.parse(readFileSync(file, 'utf8').split('\n')[0]!) as JournalHead;
  expect((await readJournals(directory, '/data')).live).toHaveLength(1);
  writeFileSync(file, sealed(`${JSON.stringify({ ...head, boot: 'another' })}\n`));
  expect((await readJournals(directory, '/data')).live).toEqual([]);
  await journal.remove();
});

test('on Windows, one in a directory that belongs to an ordinary user is not believed', async () => {
  const file = writeDead();
  const own = binding.loadBinding;
  const asked: string[] = [];
  // The start of this process is asked for in the same way as that of every other one.
  const directoryAccess = (path: string): Promise<{ othersOwn: boolean; othersChange: string }> => {
    asked.push(path);
    return Promise.resolve({ othersOwn: path.endsWith('.journal'), othersChange: '' });
  };
  const fake = { ...(process.platform === 'win32' ? own() : { processStart: () => '' }), directoryAccess };
  jest.spyOn(binding, 'loadBinding').mockReturnValue(fake as unknown as NativeBinding);
  const platform = Object.getOwnPropertyDescriptor(process, 'platform')!;
  Object.defineProperty(process, 'platform', { ...platform, value: 'win32' });
  const { leftOvers, unusable } = await readJournals(directory, '/data').finally(() =>
    Object.defineProperty(process, 'platform', platform),
  );
  expect(leftOvers).toEqual([]);
  const reason = `it may be forged: ${dirname(file)} belongs to an ordinary user, who could change the permissions`;
  expect(unusable).toEqual([{ journal: file, reason, movedTo: '', mayBeLive: true }]);
  expect(asked).toEqual(expect.arrayContaining([directory, dirname(file)]));
});

describe('what is not a journal blocks nothing, is moved aside and named:', () => {
  const head = (): string => readFileSync(writeDead(), 'utf8');
  const broken: [string, (file: string) => void][] = [
    [
      'empty',
      (file) => {
        writeFileSync(file, '');
      },
    ],
    [
      'half',
      (file) => {
        writeFileSync(file, head().slice(0, 100));
      },
    ],
    [
      'torn',
      (file) => {
        writeFileSync(file, 'torn\n');
      },
    ],
    [
      'of a future format',
      (file) => {
        writeFileSync(file, '{"format":2}\n');
      },
    ],
    [
      'without a field',
      (file) => {
        writeFileSync(file, '{"format":1}\n');
      },
    ],
    [
      'with a wrong pid',
      (file) => {
        writeFileSync(file, head().replace(/"pid":\d+/, '"pid":-1'));
      },
    ],
    [
      'a directory',
      (file) => {
        mkdirSync(file);
      },
    ],
    [
      '2 GiB long',
      (file) => {
        writeFileSync(file, '{"format":1');
        truncateSync(file, 2 ** 31);
      },
    ],
    ...(process.platform === 'linux'
      ? ([
          ['a FIFO', (file) => execFileSync('mkfifo', [file])],
          [
            'a link',
            (file) => {
              symlinkSync('/dev/zero', file);
            },
          ],
        ] as [string, (file: string) => void][])
      : []),
  ];
  test.each(broken)('%s', async (_what, make) => {
    mkdirSync(journalDirectory(directory), { recursive: true });
    const file = join(journalDirectory(directory), '20260101T000000Z-abcdef.journal');
    make(file);
    for (const name of readdirSync(journalDirectory(directory))) {
      if (!file.endsWith(name)) rmSync(join(journalDirectory(directory), name));
    }
    expect((await readJournals(directory, '/data')).unusable).toEqual([expect.objectContaining({ movedTo: '' })]);
    const { journal, unusable } = await open();
    expect(unusable).toEqual([expect.objectContaining({ journal: file, movedTo: `${file}.damaged` })]);
    expect(existsSync(file)).toBe(false);
    await journal.remove();
    expect((await readJournals(directory, '/data')).unusable).toEqual([]);
  });
});

test.each([
  ['one other path', (text: string) => text.replace('"log.nsf"', '"lag.nsf"'), 'it is damaged: '],
  ['no last line', (text: string) => text.slice(0, -checkLineBytes), 'it is damaged: '],
  ['one line more', (text: string) => `${text}"mail/ada.nsf"\n`, 'it is damaged: '],
  ['only its last line', (text: string) => text.slice(-checkLineBytes), 'its first line is incomplete'],
  [
    'the id of other work',
    (text: string) => {
      const lines = text.slice(0, -checkLineBytes);
      return sealed(lines.replace(/"id":"\w+-\w+"/, '"id":"20260101T000000Z-abcdef"'));
    },
    'it is the journal of 20260101T000000Z-abcdef',
  ],
])('a journal with %s is not believed', async (_what, change, reason) => {
  const file = writeDead();
  expect((await readJournals(directory, '/data')).leftOvers).toHaveLength(1);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
  const { leftOvers, unusable } = await readJournals(directory, '/data');
  expect(leftOvers).toEqual([]);
  expect(unusable).toEqual([expect.objectContaining({ journal: file, reason: expect.stringContaining(reason) })]);
});

test('what a process has left that died while it wrote its journal is removed, that of a live one stays', async () => {
  mkdirSync(journalDirectory(directory), { recursive: true });
  const dead = join(journalDirectory(directory), `20260101T000000Z-abcdef.journal.${process.pid}-1.new`);
  writeFileSync(dead, 'half');
  const { journal } = await open();
  expect(existsSync(dead)).toBe(false);
  const [name = ''] = readdirSync(journalDirectory(directory));
  const { processStart } = JSON.parse(
    readFileSync(join(journalDirectory(directory), name), 'utf8').split('\n')[0]!,
  ) as JournalHead;
  const alive = join(journalDirectory(directory), `${name}.${process.pid}-${processStart}.new`);
  writeFileSync(alive, 'half');
  await expect(open()).rejects.toMatchObject({ code: 'ERR_LOCKED' });
  expect(existsSync(alive)).toBe(true);
  await journal.remove();
});

test('the databases and the copies of a journal are read apart', async () => {
  const { journal } = await open();
  await journal.update({}, ['names.nsf', 'a\nb.nsf']);
  await journal.noteCopies(['/copies/names.nsf'], ['/copies']);
  await journal.update({ ended: true });
  const [left] = (await readJournals(directory, '/data')).leftOvers;
  expect(left).toMatchObject({ databasesInBackupMode: 2, copiedFiles: 1, newDirectories: ['/copies'] });
  expect(await readJournalLists(left!)).toEqual({
    databases: ['names.nsf', 'a\nb.nsf'],
    copies: ['/copies/names.nsf'],
  });
  await journal.remove();
});

test('where the delta directory cannot be written to, the journal goes elsewhere and is found there', async () => {
  const state = join(directory, 'state');
  const before = process.env['ProgramData'];
  process.env['ProgramData'] = state;
  const readOnly = join(directory, 'media');
  mkdirSync(readOnly);
  // A file in place of the journal directory: not writable, not even for root, like a read-only medium.
  const refused = Object.assign(new Error('read-only'), { code: 'EROFS' });
  jest.spyOn(promises, 'mkdir').mockRejectedValueOnce(refused);
  try {
    const elsewhere = (): Promise<string> => Promise.resolve(join(state, 'domino-vss'));
    const { journal } = await Journal.open({ ...work(), deltaDirectory: readOnly, elsewhere });
    expect(readdirSync(readOnly)).toEqual([]);
    expect((await readJournals(directory, '/data')).live).toHaveLength(1);
    await expect(open()).rejects.toMatchObject({ code: 'ERR_LOCKED' });
    await journal.remove();
  } finally {
    jest.restoreAllMocks();
    if (before === undefined) delete process.env['ProgramData'];
    else process.env['ProgramData'] = before;
  }
});

test('a journal that cannot be removed does not lock its own process out', async () => {
  const { journal } = await open();
  await expect(open()).rejects.toMatchObject({ code: 'ERR_LOCKED' });
  jest.spyOn(promises, 'rm').mockRejectedValueOnce(Object.assign(new Error('in use'), { code: 'EBUSY' }));
  await expect(journal.remove()).rejects.toMatchObject({ code: 'EBUSY' });
  const next = await open();
  expect(next.leftOvers).toHaveLength(1);
  await next.journal.remove();
});

test('a journal that lists fewer files than it says is not believed', async () => {
  const file = writeDead();
  changeJournal(file, (lines) => lines.replace('"log.nsf"\n', ''));
  const { leftOvers, unusable } = await readJournals(directory, '/data');
  expect(leftOvers).toEqual([]);
  expect(unusable).toMatchObject([{ journal: file, reason: 'it lists 1 files, but its first line says 2' }]);
});

test('a list of databases is read line by line, whatever ends a line elsewhere', async () => {
  const names = ['mail/a\u2028b\u2029c\u0085.nsf', 'b.nsf'];
  const file = writeDead();
  changeJournal(file, (lines) => `${lines.split('\n')[0]}\n${names.map((name) => JSON.stringify(name)).join('\n')}\n`);
  const { leftOvers } = await readJournals(directory, '/data');
  expect(await readJournalLists(leftOvers[0]!)).toEqual({ databases: names, copies: [] });
});
