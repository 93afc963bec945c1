import { existsSync, mkdirSync, mkdtempSync, promises, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Call } from '#lib/call/call';
import {
  archivedLogIds,
  finishRemoval,
  isExtentName,
  readCatalogue,
  withExtent,
  writeCatalogue,
  type Catalogue,
} from '#lib/logs/catalogue';
import { whenReturned } from '#lib/call/unreturned-calls';
import { lockArchivedLog } from '#lib/logs/directory';
import { listArchivedLogs } from '#lib/logs/list';
import type { NativeBinding } from '#lib/native/session';

const logId = '0807060504030201100F0E0D0C0B0A09';
let archive: string;

const extent = (number: number) => ({
  number,
  name: `S${String(number).padStart(7, '0')}.TXN`,
  sizeBytes: 3,
  sha256: 'ab',
  archived: '2026-11-27T05:35:00.120Z',
});
const catalogue: Catalogue = {
  logId,
  dataDirectory: '/local/notesdata',
  extents: [extent(3), extent(4)],
  removing: [],
};
const call = (): Call => new Call({ timeoutMs: 60_000, phase: 'archive' });
const file = (name: string): string => join(archive, logId, name);

beforeEach(() => {
  archive = mkdtempSync(join(tmpdir(), 'domino-vss-logs-'));
  mkdirSync(join(archive, logId));
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(archive, { recursive: true });
});

test('what was written is read; nothing was written for another log', async () => {
  await writeCatalogue(archive, catalogue, call());
  expect(await readCatalogue(archive, logId, call())).toEqual(catalogue);
  expect(await readCatalogue(archive, logId.replace('0', '1'), call())).toBeUndefined();
  mkdirSync(join(archive, 'something else'));
  expect(await archivedLogIds(archive, call())).toEqual([logId]);
  expect(await archivedLogIds(join(archive, 'not there'), call())).toEqual([]);
});

test('a write that hangs is given up, and the log stays locked until it has returned', async () => {
  let proceed = (): void => undefined;
  const hanging = new Promise<void>((resolve) => (proceed = resolve));
  jest.spyOn(promises, 'rename').mockImplementation(() => hanging);
  const path = file('catalogue.json');
  const writing = writeCatalogue(archive, catalogue, new Call({ timeoutMs: 1_000, phase: 'archive' }));
  await expect(writing).rejects.toMatchObject({ code: 'ERR_FILE_HANGS', operation: 'write', path });
  let released = false;
  const release = jest.fn(() => (released = true));
  const binding = { lockDirectory: () => Promise.resolve({ release }) } as unknown as NativeBinding;
  (await lockArchivedLog(binding, join(archive, logId), call())).release();
  expect(released).toBe(false);
  proceed();
  await whenReturned(path, () => undefined);
  await new Promise(setImmediate);
  expect(released).toBe(true);
});

test.each([
  ['cut off', (text: string) => text.slice(0, -20), 'it is not JSON'],
  ['a number', () => '7', 'it was changed'],
  ['nothing', () => '{}', 'it was changed'],
  ['another extent', (text: string) => text.replace('"number": 3', '"number": 2'), 'it was changed'],
  ['another log', (text: string) => text.replaceAll(logId, logId.replace('0', '1')), 'it was changed'],
  [
    'a later version',
    (text: string) => text.replace('"formatVersion": 1', '"formatVersion": 2'),
    'its format version is 2',
  ],
])('a catalogue is refused: %s', async (_what, change, message) => {
  await writeCatalogue(archive, catalogue, call());
  writeFileSync(file('catalogue.json'), change(readFileSync(file('catalogue.json'), 'utf8')));
  await expect(readCatalogue(archive, logId, call())).rejects.toMatchObject({
    code: 'ERR_LOG_ARCHIVE',
    message: expect.stringContaining(message),
  });
});

test('an extent takes its place by number, and that of an earlier copy', () => {
  expect(withExtent(catalogue, extent(1)).extents.map(({ number }) => number)).toEqual([1, 3, 4]);
  expect(withExtent(catalogue, { ...extent(3), sha256: 'cd' }).extents[0]?.sha256).toBe('cd');
});

test('a removal is finished, and takes no file but those of extents of this log', async () => {
  for (const name of ['S0000003.TXN', 'S0000004.TXN', 'notes.txt']) writeFileSync(file(name), 'abc');
  writeFileSync(join(archive, 'S0000009.TXN'), 'abc');
  const removing = ['S0000003.TXN', 'notes.txt', join('..', 'S0000009.TXN')];
  const finished = await finishRemoval(archive, { ...catalogue, extents: [extent(4)], removing }, call());
  expect(finished.removing).toEqual([]);
  expect(await readCatalogue(archive, logId, call())).toEqual(finished);
  expect(existsSync(file('S0000003.TXN'))).toBe(false);
  expect([file('S0000004.TXN'), file('notes.txt'), join(archive, 'S0000009.TXN')].every(existsSync)).toBe(true);
});

test.each([
  ['S0000012.TXN', true],
  ['s00000ab.txn', true],
  ['S123.TXN', false],
  ['../S0000012.TXN', false],
  ['S0000012.TXN.unfinished', false],
])('%s as a name of an extent: %s', (name, expected) => {
  expect(isExtentName(name)).toBe(expected);
});

type FileCall = (path: unknown, ...rest: unknown[]) => Promise<unknown>;

test.each<['readdir' | 'readFile' | 'stat', () => string]>([
  ['readdir', () => archive],
  ['readFile', () => file('catalogue.json')],
  ['stat', () => file(extent(4).name)],
])('a mount that does not respond (%s) does not block a listing', async (name, pathOf) => {
  await writeCatalogue(archive, catalogue, call());
  const abort = new AbortController();
  const calls = promises as unknown as Record<typeof name, FileCall>;
  const original = calls[name].bind(promises);
  // Aborted during the call, so that the result does not depend on the time.
  jest.spyOn(calls, name).mockImplementation((path, ...rest) => {
    if (path !== pathOf()) return original(path, ...rest);
    abort.abort();
    return new Promise(() => undefined);
  });
  const listing = listArchivedLogs({ archiveDirectory: archive, signal: abort.signal });
  await expect(listing).rejects.toMatchObject({ code: 'ERR_ABORTED' });
});
