import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  promises,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDirectory, writeDurably } from '#lib/store/durable';
import { linuxTest } from '../../platform';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-durable-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

test('every missing directory is made, with the mode that was asked for, and making it again changes nothing', async () => {
  const deep = join(directory, 'a', 'b', 'c');
  for (let time = 0; time < 2; ++time) await makeDirectory(deep, 0o700);
  expect(statSync(deep).isDirectory()).toBe(true);
  if (process.platform !== 'win32') expect(statSync(join(directory, 'a')).mode & 0o777).toBe(0o700);
});

linuxTest.each([0, 0o022, 0o777])('files and directories get their modes whatever the umask is (%s)', async (mask) => {
  const modeOf = (path: string): number => statSync(path).mode & 0o777;
  chmodSync(directory, 0o770);
  const before = process.umask(mask);
  try {
    await makeDirectory(join(directory, 'own', 'below'), 0o700);
    await makeDirectory(join(directory, 'like', 'above'));
    await writeDurably(join(directory, 'own', 'file'), (handle) => handle.writeFile('text'));
  } finally {
    process.umask(before);
  }
  expect(['own', 'own/below', 'own/file'].map((path) => modeOf(join(directory, path)))).toEqual([0o700, 0o700, 0o600]);
  // Others who may write there are not those of this directory.
  expect(['like', 'like/above'].map((path) => modeOf(join(directory, path)))).toEqual([0o750, 0o750]);
});

test('a file that cannot be written completely leaves nothing, and the old one stays', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, 'old');
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC', errno: -28 });
  await expect(
    writeDurably(file, async (handle) => {
      await handle.writeFile('ne');
      throw full;
    }),
  ).rejects.toBe(full);
  expect(readdirSync(directory)).toEqual(['file']);
  expect(readFileSync(file, 'utf8')).toBe('old');
});

test('two that make the same directories do not disturb each other', async () => {
  const deep = join(directory, 'a', 'b', 'c', 'd', 'e', 'f');
  await Promise.all([makeDirectory(deep), makeDirectory(deep), makeDirectory(deep)]);
  expect(statSync(deep).isDirectory()).toBe(true);
});

test('a file in its place is an error, and below a file too', async () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  await expect(makeDirectory(file)).rejects.toMatchObject({ code: 'EEXIST', path: file });
  await expect(makeDirectory(join(file, 'below'))).rejects.toMatchObject({
    code: expect.stringMatching(/ENOTDIR|ENOENT|EEXIST/) as string,
  });
});

linuxTest(
  'a directory that takes no other is an error, and not a wait without end',
  async () => {
    await expect(makeDirectory('/proc/domino-vss/backup')).rejects.toMatchObject({ code: 'ENOENT' });
  },
  5_000,
);

linuxTest('a link that is put in the place of a new directory leaves what it leads to as it is', async () => {
  const [made, other] = [join(directory, 'made'), join(directory, 'other')];
  mkdirSync(other, { mode: 0o711 });
  const makeIt = promises.mkdir;
  const mkdir = jest.spyOn(promises, 'mkdir').mockImplementation(async (path, mode) => {
    await makeIt(path, mode);
    rmdirSync(path);
    symlinkSync(other, path);
    return undefined;
  });
  await makeDirectory(made, 0o755);
  mkdir.mockRestore();
  expect(statSync(other).mode & 0o777).toBe(0o711);
});

linuxTest('a file is written through no link that lies where it is made, and in the place of a half one', async () => {
  const [file, other] = [join(directory, 'file'), join(directory, 'other')];
  writeFileSync(other, 'of somebody else');
  symlinkSync(other, `${file}.new`);
  const write = (text: string): Promise<void> => writeDurably(file, (handle) => handle.writeFile(text));
  await write('first');
  expect([readFileSync(file, 'utf8'), readFileSync(other, 'utf8')]).toEqual(['first', 'of somebody else']);
  writeFileSync(`${file}.new`, 'half of a longer text');
  await write('second');
  expect(readFileSync(file, 'utf8')).toBe('second');
  expect(readdirSync(directory).sort()).toEqual(['file', 'other']);
});
