// docs/api-reference.md is what the comments in the sources make of it, every export has a comment, every type that an export uses
// is exported, and every link has a target.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '..', '..', '..');

test('the API reference is in step with the sources, and typedoc has no complaint about them', () => {
  const script = join(root, 'scripts', 'api-reference.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1' },
    encoding: 'utf8',
  });
  expect({ status, complaints: `${stdout}${stderr}` }).toEqual({ status: 0, complaints: '' });
}, 120_000);
