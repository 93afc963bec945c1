// The API reference can be generated from the comments in the sources (`npm run api-reference`): every export has a comment,
// every type that an export uses is exported, and every link has a target. It is not committed, so it cannot become outdated.

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
