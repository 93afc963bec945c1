import { findTrees, describeTrees, treeNumbers } from '#lib/writer/components';
import { serveWriter } from '#lib/writer/serve';
import type { NativeBinding } from '#lib/native/session';

const withoutVss = (): NativeBinding => ({}) as NativeBinding;

test('without VSS there is no writer, and the error says what there is instead', async () => {
  await expect(serveWriter(withoutVss, { deltaDirectory: '/backup' })).rejects.toMatchObject({
    code: 'ERR_UNSUPPORTED',
    message: expect.stringContaining('domino-vss hold') as string,
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
  const components = describeTrees(trees);
  expect(components.map(({ name }) => name)).toEqual(['data', 'data-1', 'data-2']);
  expect(components[2]?.files).toEqual(
    ['*.nsf', '*.ntf', '*.box', '*.nsg', '*.nsh'].map((pattern) => ({
      directory: '/other/mail',
      pattern,
      recursive: true,
    })),
  );
});
