import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import { readOpenFiles, requireOpenFiles } from '#lib/domino/open-files';
import { linuxTest } from '../../platform';
import { FakeDomino } from '../fake-binding';

describe('open files', () => {
  test('that are too few are refused with the number that is needed', async () => {
    const read = () => Promise.resolve({ allowed: 1024, open: 30 });
    await expect(requireOpenFiles(994, read)).resolves.toBeUndefined();
    await expect(requireOpenFiles(995, read)).rejects.toMatchObject({
      code: 'ERR_OPEN_FILES',
      message: '1025 open files are needed at once, 1024 are allowed',
      hint: expect.stringContaining('LimitNOFILE=1025'),
    });
    await expect(requireOpenFiles(1e9, () => Promise.resolve(undefined))).resolves.toBeUndefined();
  });

  linuxTest('are counted as the kernel does', async () => {
    const files = await readOpenFiles();
    expect(files!.open).toBeGreaterThan(3);
    expect(files!.allowed).toBeGreaterThan(files!.open);
    const home = mkdtempSync(join(tmpdir(), 'domino-vss-limits-'));
    mkdirSync(join(home, 'fd'));
    writeFileSync(join(home, 'limits'), 'Max open files            unlimited            unlimited            files\n');
    expect(await readOpenFiles(home)).toBeUndefined();
    rmSync(home, { recursive: true });
  });
});

test.each([
  ['rolling copies', { provider: 'rolling' }],
  ['copies from a shadow', { copiesTo: '/not/there/yet' }],
] as const)('too little room for %s is refused before anything is made or opened', async (_what, options) => {
  const domino = new FakeDomino();
  const catalog = domino.catalog.bind(domino);
  domino.catalog = () => {
    const found = catalog();
    const huge = new Float64Array(found.paths.length).fill(1e15);
    return { ...found, sizeBytes: huge, allocatedBytes: huge };
  };
  const begin = (): Promise<unknown> =>
    beginBackup(() => domino.binding, {
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
      ...options,
    });
  await expect(begin()).rejects.toMatchObject({
    code: 'ERR_NO_SPACE',
    message: expect.stringMatching(/ free, 4 PB are needed$/),
  });
  expect(domino.calls).not.toContain('open');
  expect(domino.remains()).toEqual([]);
  // Holes take no space.
  domino.catalog = () => ({ ...catalog(), sizeBytes: new Float64Array(catalog().paths.length).fill(1e15) });
  const backup = (await begin()) as { dispose(): Promise<void> };
  await backup.dispose();
  domino.destroy();
});
