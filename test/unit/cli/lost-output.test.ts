import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linuxTest } from '../../platform';
import { FakeDomino } from '../fake-binding';
import { location, run } from './run';

// What is told about a command whose work succeeded and whose output was lost. The streams themselves: command-line-process.test.ts.

let domino: FakeDomino;

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

// The program is a script.
linuxTest.each([
  { code: 'ENOSPC', exitCode: 1, told: '1 ERR_NO_SPACE\n', inLog: /failed ERR_NO_SPACE: the output is not complete/ },
  { code: 'EPIPE', exitCode: 0, told: '', inLog: /warning WARN_OUTPUT_UNREAD/ },
])('log, metrics and failure command of a backup get its exit code: $code', async (row) => {
  const [log = '', metrics = '', told = '', program = ''] = ['log', 'metrics', 'told', 'tell'].map((name) =>
    join(domino.root, name),
  );
  writeFileSync(told, '');
  writeFileSync(program, `#!/bin/sh\necho "$DOMINO_VSS_EXIT_CODE $DOMINO_VSS_CODE" > ${told}\n`, { mode: 0o700 });
  const files = ['--log', log, '--metrics', metrics, '--failure-command', program];
  const args = ['backup', 'run', '--keep-nothing', '--delta-dir', 'delta', ...location, ...files];
  const lost = Object.assign(new Error(`${row.code}: write`), { code: row.code, syscall: 'write' });

  const { exitCode } = await run(domino, args, { lostOutput: () => Promise.resolve(lost) });

  expect(exitCode).toBe(row.exitCode);
  expect(readFileSync(told, 'utf8')).toBe(row.told);
  expect(readFileSync(metrics, 'utf8')).toContain(`domino_vss_last_exit_code{command="backup run"} ${row.exitCode}\n`);
  const text = readFileSync(log, 'utf8');
  expect(text).toMatch(row.inLog);
  expect(text).toMatch(new RegExp(`ended with exit code ${row.exitCode}\n$`));
});
