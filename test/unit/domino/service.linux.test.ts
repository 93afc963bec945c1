import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-systemctl-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/**
 * Runs JavaScript with `service` in a separate process, where `systemctl` is a program that records its
 * arguments and exits as told; returns what the last expression settles to.
 */
function withSystemctl(exitCode: number | undefined, code: string, state = ''): unknown {
  if (exitCode !== undefined) {
    const program = join(directory, 'systemctl');
    writeFileSync(
      program,
      `#!/bin/sh\necho "$@" >> ${directory}/log\n[ "$1" = stop ] && exit 0\necho ${state}\nexit ${exitCode}\n`,
    );
    chmodSync(program, 0o755);
  }
  const script = `
    const service = require('./dist/domino/service.js').systemdService('domino.service');
    (async () => { ${code} })().then(
      (value) => console.log(JSON.stringify({ value })),
      ({ message, code }) => console.log(JSON.stringify({ message, code })));`;
  const root = join(__dirname, '../../../..');
  return JSON.parse(
    execFileSync(process.execPath, ['-e', script], { cwd: root, env: { PATH: directory } }).toString(),
  ) as unknown;
}

test('a systemd unit is asked, stopped and started by its name', () => {
  const answer = withSystemctl(
    0,
    `const running = await service.isRunning();
     await service.stop({ signal: new AbortController().signal });
     await service.start();
     return running;`,
  );
  expect(answer).toEqual({ value: true });
  expect(readFileSync(join(directory, 'log'), 'utf8')).toBe(
    'is-active -- domino.service\nstop -- domino.service\nstart -- domino.service\n',
  );
});

test('a unit that is not active does not run, and a failing start is an error', () => {
  expect(withSystemctl(3, 'return service.isRunning()')).toEqual({ value: false });
  expect(withSystemctl(3, 'await service.start()')).toMatchObject({
    message: expect.stringContaining('start -- domino.service'),
  });
});

test('a unit that is starting counts as running, and one that is stopping is waited for', () => {
  expect(withSystemctl(3, 'return service.isRunning()', 'activating')).toEqual({ value: true });
  expect(withSystemctl(3, 'return service.isRunning()', 'inactive')).toEqual({ value: false });
  rmSync(join(directory, 'log'));
  expect(withSystemctl(3, 'return service.isRunning()', 'deactivating')).toEqual({ value: false });
  expect(readFileSync(join(directory, 'log'), 'utf8')).toBe('is-active -- domino.service\nstop -- domino.service\n');
});

test('an error of systemctl is not taken for a stopped service', () => {
  expect(withSystemctl(undefined, 'return service.isRunning()')).toMatchObject({ code: 'ENOENT' });
});
