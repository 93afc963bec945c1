// The reference of the API can be made of the comments in the sources (`npm run api-reference`): every export has one, everything that an
// export names is exported, and every link leads somewhere. It is not committed, so it cannot lag behind.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '..', '..', '..');

test('typedoc has no complaint about the exports', () => {
  const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc');
  const { status, stdout, stderr } = spawnSync(process.execPath, [typedoc, '--emit', 'none'], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
    encoding: 'utf8',
  });
  expect({ status, complaints: `${stdout}${stderr}` }).toEqual({ status: 0, complaints: '' });
}, 120_000);
