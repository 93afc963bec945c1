// What people and programs put into a data directory: links of every kind, things that only look like files, and names that must
// not reach a terminal. Reads real directories; Domino is not needed.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, linkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findDatabases, type FindDatabasesResult } from '#lib/index';

let home: string;
let data: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'domino-vss-catalog-'));
  data = join(home, 'data');
  mkdirSync(data);
  writeFileSync(join(home, 'notes.ini'), `[Notes]\nDirectory=${data}\n`);
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

function database(path: string | Buffer, from = data): void {
  const file = typeof path === 'string' ? join(from, path) : Buffer.concat([Buffer.from(`${from}/`), path]);
  if (typeof file === 'string') mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Buffer.concat([Buffer.from([0x1a, 0x00]), Buffer.alloc(1022)]));
}

function find(options: Partial<Parameters<typeof findDatabases>[0]> = {}): Promise<FindDatabasesResult> {
  return findDatabases({ domino: { notesIni: join(home, 'notes.ini') }, ...options });
}

const namesOf = ({ databases }: FindDatabasesResult): Record<string, readonly string[]> =>
  Object.fromEntries(databases.map(({ path, aliases }) => [path, aliases]));

describe('the true path is the name', () => {
  test('of a file that a symbolic link leads to as well (V1)', async () => {
    database('mail/db1.nsf');
    symlinkSync(join(data, 'mail/db1.nsf'), join(data, 'aalias.nsf'));
    symlinkSync(join(data, 'mail/db1.nsf'), join(data, 'mail/zz.nsf'));
    expect(namesOf(await find())).toEqual({ 'mail/db1.nsf': ['aalias.nsf', 'mail/zz.nsf'] });
  });

  test.each(['aa', 'zz'])('of a directory that the link %s leads to as well (V1)', async (alias) => {
    database('mail/sub/db1.nsf');
    symlinkSync(join(data, 'mail'), join(data, alias));
    expect(namesOf(await find())).toEqual({ 'mail/sub/db1.nsf': [`${alias}/sub/db1.nsf`] });
  });

  test('of what links of Domino lead to as well', async () => {
    database('mail/db1.nsf');
    writeFileSync(join(data, 'aalias.nsf'), join(data, 'mail/db1.nsf'));
    writeFileSync(join(data, 'adir.dir'), `${join(data, 'mail')}\n`);
    expect(namesOf(await find())).toEqual({ 'mail/db1.nsf': ['aalias.nsf', 'adir/db1.nsf'] });
  });

  test('and behind links only, the first in alphabetical order', async () => {
    database('ext/x.nsf', home);
    symlinkSync(join(home, 'ext'), join(data, 'zlink'));
    symlinkSync(join(home, 'ext'), join(data, 'blink'));
    symlinkSync(join(home, 'ext/x.nsf'), join(data, 'zz.nsf'));
    expect(namesOf(await find())).toEqual({ 'blink/x.nsf': ['zz.nsf', 'zlink/x.nsf'] });
  });

  test('of a file with two names of its own', async () => {
    database('a/x.nsf');
    linkSync(join(data, 'a/x.nsf'), join(data, 'b.nsf'));
    expect(Object.keys(namesOf(await find()))).toEqual(['b.nsf']);
  });

  test('where links lead into circles', async () => {
    database('mail/db1.nsf');
    symlinkSync(data, join(data, 'mail/up'));
    symlinkSync(join(data, 'mail/self'), join(data, 'mail/self'));
    writeFileSync(join(data, 'self.dir'), data);
    const found = await find();
    expect(namesOf(found)).toEqual({ 'mail/db1.nsf': ['mail/up/mail/db1.nsf', 'self/mail/db1.nsf'] });
    expect(found.problems.filter(({ operation }) => operation !== '')).toEqual([]);
  });
});

describe('links of Domino (D5)', () => {
  test('with line ends of Windows and trailing blanks', async () => {
    database('x.nsf', join(home, 'ext'));
    writeFileSync(join(data, 'far.dir'), `  ${join(home, 'ext')} \t \r\nCN=somebody\r\n`);
    expect(namesOf(await find())).toEqual({ 'far/x.nsf': [] });
  });

  test.each([
    ['a file', () => join(home, 'notes.ini'), 'ENOTDIR'],
    ['nowhere', () => join(home, 'nowhere'), 'ENOENT'],
  ])('to %s name the link and where it leads', async (_what, target, statusName) => {
    database('names.nsf');
    writeFileSync(join(data, 'far.dir'), target());
    const { problems, databases } = await find();
    expect(databases).toHaveLength(1);
    expect(problems).toMatchObject([{ database: join(data, 'far.dir'), statusName }]);
    expect(problems[0]!.text).toContain(`the link leads to ${target()}`);
  });

  test.each(['\\\\server\\share\\x', 'D:\\ext', '', 'ext'])(
    'to %j name no directory of this system',
    async (target) => {
      database('names.nsf');
      writeFileSync(join(data, 'far.dir'), target);
      expect((await find()).problems).toMatchObject([{ database: join(data, 'far.dir'), operation: '' }]);
    },
  );
});

describe('what is no file', () => {
  test('is named and never opened: pipes, sockets, devices, directories of the kernel', async () => {
    database('names.nsf');
    execFileSync('mkfifo', [join(data, 'pipe.nsf'), join(data, 'pipe.dir')]);
    symlinkSync(join(data, 'pipe.nsf'), join(data, 'to-pipe.nsf'));
    symlinkSync('/dev/zero', join(data, 'zero.nsf'));
    symlinkSync('/dev/tty', join(data, 'tty.box'));
    writeFileSync(join(data, 'text.nsf'), join(data, 'pipe.nsf'));
    writeFileSync(join(data, 'kernel.dir'), '/proc');
    symlinkSync('/proc/self', join(data, 'self'));
    const { databases, problems } = await find({ timeoutMs: 20_000 });
    expect(databases.map(({ path }) => path)).toEqual(['names.nsf']);
    const texts = Object.fromEntries(problems.map(({ database: file, text }) => [file.slice(data.length + 1), text]));
    expect(texts).toEqual({
      'pipe.nsf': 'has the name of a database but is a named pipe',
      'pipe.dir': 'has the name of a directory link but is a named pipe',
      'to-pipe.nsf': 'has the name of a database but is a named pipe',
      'zero.nsf': 'has the name of a database but is a device',
      'tty.box': 'has the name of a database but is a device',
      'text.nsf': 'leads to a named pipe',
      'kernel.dir': 'leads to a virtual directory of the kernel, which cannot contain a database',
      self: 'leads to a virtual directory of the kernel, which cannot contain a database',
    });
  }, 30_000);

  test('and a link without an extension that leads nowhere may hide databases', async () => {
    database('names.nsf');
    symlinkSync('/nowhere/mail', join(data, 'mail'));
    symlinkSync('/nowhere/x', join(data, 'lock.pid'));
    expect((await find()).problems).toMatchObject([
      { database: join(data, 'mail'), operation: '', text: expect.stringContaining('leads nowhere') },
    ]);
  });
});

test('what a dead restore has left beside a database is a problem, whether or not a journal names it', async () => {
  for (const path of ['names.nsf', 'mail/ada.nsf', 'mail/ada.nsf.domino-vss-original', 'names.nsf.domino-vss-restore'])
    database(path);
  const { databases, problems } = await find();
  expect(databases.map(({ path }) => path)).toEqual(['mail/ada.nsf', 'names.nsf']);
  expect(problems).toEqual([
    expect.objectContaining({
      database: join(data, 'names.nsf.domino-vss-restore'),
      code: 'ERR_FIND',
      text: 'is a copy that an interrupted restore has left; remove it',
    }),
    expect.objectContaining({
      database: join(data, 'mail/ada.nsf'),
      code: 'ERR_ORIGINAL_ASIDE',
      text: expect.stringContaining('mail/ada.nsf.domino-vss-original'.slice(5)),
    }),
  ]);
});

test('2 500 nested directories and 100 000 entries are survived', async () => {
  let deep = data;
  process.chdir(data);
  try {
    for (let depth = 0; depth < 2500; ++depth) {
      mkdirSync('d');
      process.chdir('d');
    }
  } finally {
    process.chdir('/');
  }
  for (let depth = 0; depth < 900; ++depth) deep = join(deep, 'd');
  database('x.nsf', deep);
  mkdirSync(join(data, 'many'));
  for (let index = 0; index < 100_000; ++index) writeFileSync(join(data, 'many', `${index}.txt`), '');
  database('many/last.nsf');
  const { databases, problems } = await find();
  expect(databases.map(({ path }) => path.slice(-8))).toEqual(['/d/x.nsf', 'last.nsf']);
  // Paths are limited to 4 096 bytes; deeper files are named, because they may be databases.
  expect(problems).toMatchObject([{ statusName: 'ENAMETOOLONG' }]);
  execFileSync('rm', ['-rf', join(data, 'd'), join(data, 'many')]);
}, 120_000);

test('names with control characters are kept, and names that are no Unicode are named and left out', async () => {
  database('new\nline.nsf');
  database('esc\u001b[31m.nsf');
  database(Buffer.from([0x62, 0xff, 0x2e, 0x6e, 0x73, 0x66]));
  mkdirSync(Buffer.concat([Buffer.from(`${data}/`), Buffer.from([0x64, 0xc3])]));
  writeFileSync(Buffer.concat([Buffer.from(`${data}/`), Buffer.from([0xc3, 0x2e, 0x74])]), '');
  const { databases, problems } = await find();
  expect(databases.map(({ path }) => path)).toEqual(['esc\u001b[31m.nsf', 'new\nline.nsf']);
  expect(problems).toMatchObject([
    { database: join(data, 'b\\xff.nsf'), status: 84, text: expect.stringContaining('not valid Unicode') },
    { database: join(data, 'd\\xc3'), status: 84 },
  ]);
});
