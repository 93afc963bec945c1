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
 * Runs a piece of JavaScript with `service` in a process of its own, where `systemctl` is a program that writes down its
 * arguments and exits as told; what the last expression settles to is answered.
 */
function withSystemctl(exitCode: number | undefined, code: string): unknown {
  if (exitCode !== undefined) {
    const program = join(directory, 'systemctl');
    writeFileSync(program, `#!/bin/sh\necho "$@" >> ${directory}/log\nexit ${exitCode}\n`);
    chmodSync(program, 0o755);
  }
  const script = `
    const service = require('./dist/service.js').systemdService('domino.service');
    (async () => { ${code} })().then(
      (value) => console.log(JSON.stringify({ value })),
      ({ message, code }) => console.log(JSON.stringify({ message, code })));`;
  const root = join(__dirname, '../../..');
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
    'is-active --quiet -- domino.service\nstop -- domino.service\nstart -- domino.service\n',
  );
});

test('a unit that is not active does not run, and a failing stop is an error', () => {
  expect(withSystemctl(3, 'return service.isRunning()')).toEqual({ value: false });
  expect(withSystemctl(3, 'await service.stop({ signal: new AbortController().signal })')).toMatchObject({
    message: expect.stringContaining('stop -- domino.service'),
  });
});

test('that systemctl cannot be run at all is not the same as not running', () => {
  expect(withSystemctl(undefined, 'return service.isRunning()')).toMatchObject({ code: 'ENOENT' });
});
