import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import type { BackupReport } from '#lib/backup/report';
import { verifyBackup } from '#lib/restore/verify';
import { readBackups } from '#lib/store/backups';
import { FileCalls, untiring } from '#lib/store/stall';
import { linuxTest } from '../../platform';
import { FakeDomino } from '../fake-binding';

// A pipe without a writer in the place of a file of a backup. Opening it as usual would occupy a thread of Node.js for ever.

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

async function backUp(): Promise<BackupReport> {
  const { deltaDirectory, location } = domino;
  await using backup = await beginBackup(() => domino.binding, { deltaDirectory, domino: location });
  domino.busy.add('names.nsf');
  const set = await backup.createShadow();
  const to = join(domino.root, 'copies');
  mkdirSync(to);
  await set.copyDatabases({ to });
  return await backup.endBackup();
}

function pipeAt(file: string): void {
  rmSync(file);
  execFileSync('mkfifo', [file]);
}

linuxTest.each(['manifest.json', 'databases.ndjson'])('as %s it makes the backup damaged', async (name) => {
  const { manifest } = await backUp();
  pipeAt(join(dirname(manifest), name));
  const listed = await readBackups(domino.deltaDirectory, new FileCalls(untiring));
  if (name === 'manifest.json') expect(listed).toMatchObject([{ state: 'damaged' }]);
  await expect(verifyBackup(() => domino.binding, { manifest })).rejects.toMatchObject({
    code: 'ERR_MANIFEST',
  });
});

linuxTest('as a copy it is named, and the other copies are verified', async () => {
  const { manifest } = await backUp();
  pipeAt(join(domino.root, 'copies', 'names.nsf'));
  const report = await verifyBackup(() => domino.binding, { manifest });
  expect(report.outcome).toBe('damaged');
  expect(report.databases.filter(({ copy }) => copy === 'damaged').map(({ database }) => database)).toEqual([
    'names.nsf',
  ]);
});
