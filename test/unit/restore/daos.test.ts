import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import { restoreDatabases, type RestoreOptions } from '#lib/restore/restore';
import type { RestoreReport } from '#lib/restore/report';
import { FakeDomino } from '../fake-binding';

let domino: FakeDomino;
let manifest: string;

beforeEach(async () => {
  domino = new FakeDomino(['mail/ada.nsf', 'mail/two words.nsf', 'apps/crm.nsf']);
  const { location, deltaDirectory } = domino;
  const backup = await beginBackup(() => domino.binding, { domino: location, deltaDirectory });
  const set = await backup.createShadow();
  await set.copyDatabases({ to: join(domino.root, 'copies') });
  await backup.endBackup();
  manifest = backup.directory;
});

afterEach(() => {
  domino.destroy();
});

const restore = (options: Partial<RestoreOptions> = {}): Promise<RestoreReport> =>
  restoreDatabases(() => domino.binding, { manifest, domino: domino.location, databases: ['mail/*'], ...options });

const settings = (...lines: string[]): void => {
  writeFileSync(domino.notesIni, [`[Notes]`, `Directory=${domino.dataDirectory}`, ...lines, ''].join('\n'));
};

const name = (path: string): string => (process.platform === 'win32' ? path.replaceAll('/', '\\') : path);

test('the commands that list missing objects are given for the databases that were restored', async () => {
  const directory = join(domino.dataDirectory, 'DAOS');
  mkdirSync(directory);
  const { daos } = await restore();
  expect(daos).toEqual({
    directory,
    isThere: true,
    commands: [
      `tell daosmgr listnlo -o missing-1.txt MISSING ${name('mail/ada.nsf')}`,
      `tell daosmgr listnlo -o missing-2.txt MISSING "${name('mail/two words.nsf')}"`,
    ],
  });
});

test('a new database is listed by its new name, and a directory that is not there is told', async () => {
  const mode = { type: 'new-database', as: 'restored/ada.nsf' } as const;
  const { daos } = await restore({ databases: ['mail/ada.nsf'], mode });
  expect(daos).toMatchObject({ isThere: false });
  expect(daos?.commands).toEqual([`tell daosmgr listnlo -o missing-1.txt MISSING ${name('restored/ada.nsf')}`]);
});

test('a dry run says it, too', async () => {
  expect((await restore({ dryRun: true })).daos?.commands).toHaveLength(2);
});

test("DAOS that is not in use is nobody's concern, and DAOSEnable without a path means the usual one", async () => {
  settings();
  expect((await restore()).daos).toBeNull();
  settings('DAOSEnable=1');
  expect((await restore()).daos?.directory).toBe(join(domino.dataDirectory, 'DAOS'));
});

test('a restore that has succeeded is reported although notes.ini cannot be read any more', async () => {
  domino.onCall = (call) => {
    if (call === 'bringDatabaseOnline') rmSync(domino.notesIni, { force: true });
  };
  const { outcome, daos, warnings } = await restore();
  expect([outcome, daos]).toEqual(['complete', null]);
  expect(warnings).toContainEqual(
    expect.objectContaining({
      code: 'WARN_DAOS_UNKNOWN',
      message: expect.stringContaining('whether DAOS is in use is not known'),
    }),
  );
});
