import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { NotesIni } from '#lib/domino/environment';
import { describeComponents, findSurroundings, findTrees, treeNumbers } from '#lib/writer/components';
import { serveWriter } from '#lib/writer/serve';
import type { NativeBinding } from '#lib/native/session';
import type { NativeRestoreNotice } from '#lib/native/writer';
import { FakeDomino } from '../fake-binding';

const withoutVss = (): NativeBinding => ({}) as NativeBinding;

test('without VSS there is no writer, and the error says what there is instead', async () => {
  await expect(serveWriter(withoutVss, { deltaDirectory: '/backup' })).rejects.toMatchObject({
    code: 'ERR_UNSUPPORTED',
    hint: expect.stringMatching(/^Run this on Windows\. .*domino-vss hold/) as string,
  });
});

test.each([
  ['deltaDirectory', { deltaDirectory: 'relative' }],
  ['holdTimeoutMs', { deltaDirectory: '/backup', holdTimeoutMs: 900_000 }],
  ['onFailure', { deltaDirectory: '/backup', onFailure: 'ignore' }],
  ['refreshMs', { deltaDirectory: '/backup', refreshMs: 1 }],
  ['provider', { deltaDirectory: '/backup', provider: 'vss' }],
])('a wrong %s is refused first', async (option, options) => {
  await expect(serveWriter(withoutVss, options as never)).rejects.toMatchObject({ code: 'ERR_OPTION', option });
});

test('components are the data directory and the uppermost directories outside of it', () => {
  const files = ['/data/a.nsf', '/data/mail/b.nsf', '/other/mail/c.nsf', '/other/mail/deep/d.nsf', '/archive/e.nsf'];
  const trees = findTrees('/data', files);
  expect(trees).toEqual(['/data', '/archive', '/other/mail']);
  expect([...treeNumbers(trees, { files: [...files, '/new/f.nsf'] })]).toEqual([0, 0, 2, 2, 1, 0]);
  const components = describeComponents(trees, { logDirectory: '', daosDirectory: '' });
  expect(components.map(({ name }) => name)).toEqual(['data', 'data-1', 'data-2']);
  expect(components[2]?.files).toEqual(
    ['*.nsf', '*.ntf', '*.box', '*.nsg', '*.nsh'].map((pattern) => ({
      directory: '/other/mail',
      pattern,
      recursive: true,
    })),
  );
});

test('the transaction log and the attachments of DAOS are components of their own, where notes.ini names them', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'writer-')), 'notes.ini');
  const settings = (...lines: readonly string[]): NotesIni => {
    writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
    return new NotesIni(file);
  };
  expect(findSurroundings(settings('TRANSLOG_Path=/logs'), '/data')).toEqual({ logDirectory: '', daosDirectory: '' });
  const found = findSurroundings(settings('TRANSLOG_Status=1', 'TRANSLOG_Path=/logs/', 'DAOSEnable=1'), '/data');
  const [, log, daos, ...others] = describeComponents(['/data'], found);
  expect(others).toEqual([]);
  expect(log).toMatchObject({ name: 'transaction-log', kind: 'transactionLog' });
  expect(log?.files).toEqual([{ directory: resolve('/logs'), pattern: '*.txn', recursive: false }]);
  expect(daos).toMatchObject({ name: 'daos', kind: 'attachments' });
  expect(daos?.files).toEqual([{ directory: resolve('/data/DAOS'), pattern: '*.nlo', recursive: true }]);
});

test('a database that a requester has restored is in the next backup, also if one is being prepared', async () => {
  const domino = new FakeDomino();
  try {
    const { native } = domino.haveVss();
    let tell: (notice: NativeRestoreNotice) => void = () => undefined;
    let armed = 0;
    const arm = (): boolean => {
      armed += 1;
      return true;
    };
    const vss = {
      ...native,
      registerWriter: (_options: unknown, listener: typeof tell) => {
        tell = listener;
        return Promise.resolve({ arm, end: () => Promise.resolve() });
      },
    };
    const binding = { ...domino.binding, vss } as NativeBinding;
    await using writer = await serveWriter(() => binding, {
      domino: domino.location,
      deltaDirectory: domino.deltaDirectory,
    });
    expect([writer.databases, armed]).toEqual([4, 1]);
    tell({ moment: 'restore-begun', text: '', report: '' });
    domino.write('mail/again.nsf', domino.read('mail/ada.nsf'));
    tell({ moment: 'restore-ended', text: '', report: '' });
    // While the backup for this is prepared, another restore ends.
    domino.onCall = async (name) => {
      if (name !== 'transactionLogStyle') return;
      domino.onCall = () => undefined;
      await nextTurn();
      domino.write('mail/more.nsf', domino.read('mail/bob.nsf'));
      tell({ moment: 'restore-failed', text: 'one of two', report: '' });
    };
    while (armed < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(writer.databases).toBe(6);
  } finally {
    domino.destroy();
  }
});
