// Not a Jest test: a program for a machine with real Windows and an expendable volume. It takes a shadow copy of
// the volume with VSS, without Domino, and reads it.
//
//   node build/test/windows/real-volume.js V:\

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginBackup, listProviders, listShadows } from '#lib/index';

async function shadowOf(volume: string, lifetime: 'backup' | 'persistent'): Promise<void> {
  const file = join(volume, 'state.txt');
  const deltaDirectory = mkdtempSync(join(tmpdir(), 'domino-vss-real-'));
  writeFileSync(file, 'before');
  const backup = await beginBackup({ source: 'volumes', volumes: [volume], lifetime, deltaDirectory });
  try {
    const { shadows } = await backup.createShadow();
    const [shadow] = shadows;
    assert(shadow !== undefined);
    writeFileSync(file, 'after');
    assert.equal(readFileSync(join(shadow.root, 'state.txt'), 'utf8'), 'before');
    if (lifetime === 'persistent') {
      const known = await listShadows();
      assert(known.some(({ id }) => id.toLowerCase() === shadow.id.toLowerCase()));
    }
    const report = await backup.endBackup();
    assert.equal(report.outcome, 'complete');
  } finally {
    await backup.dispose();
    rmSync(deltaDirectory, { recursive: true, force: true });
  }
  console.log(`${lifetime}: the shadow of ${volume} shows what was there before`);
}

async function main(): Promise<void> {
  const volume = process.argv[2];
  if (process.platform !== 'win32' || volume === undefined) throw new Error('on Windows: real-volume.js V:\\');
  console.log(await listProviders());
  const before = await listShadows();
  await shadowOf(volume, 'backup');
  await shadowOf(volume, 'persistent');
  assert.deepEqual(await listShadows(), before);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
