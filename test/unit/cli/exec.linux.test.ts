import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakeDomino } from '../fake-binding';
import { location, run } from './run';

let domino: FakeDomino;
const told = (name: string): string => readFileSync(join(domino.root, name), 'utf8');

beforeEach(() => {
  domino = new FakeDomino();
});

afterEach(() => {
  domino.destroy();
});

async function backUp(lines: readonly string[], signal = new AbortController().signal) {
  writeFileSync(join(domino.root, 'save'), ['#!/bin/sh', `cd ${domino.root}`, ...lines, ''].join('\n'), {
    mode: 0o700,
  });
  const args = ['backup', 'run', '--delta-dir', 'delta', '--exec', 'save', ...location, '--json'];
  return run(domino, args, { env: { PATH: process.env['PATH'] }, signal });
}

test('the program finds every database in the shadow, which is removed after its end', async () => {
  const { exitCode, stdout, stderr } = await backUp([
    'tr "\\0" "\\n" < "$DOMINO_VSS_FILES" > files',
    'tr "\\0" "\\n" < "$DOMINO_VSS_FILES" | xargs cat > contents',
    'cp "$DOMINO_VSS_DATABASES" databases',
    'echo "$DOMINO_VSS_BACKUP_ID $DOMINO_VSS_SHADOW_ROOTS" > id',
    'echo saved',
  ]);
  expect([exitCode, stderr]).toEqual([0, 'saved\n']);
  const report = JSON.parse(stdout) as {
    id: string;
    outcome: string;
    counts: { captured: number };
    volumes: { root: string; kept: boolean }[];
  };
  expect(report).toMatchObject({ outcome: 'complete', volumes: [{ kept: false }] });
  const files = told('files').trimEnd().split('\n');
  const databases = told('databases')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { path: string; file: string });
  expect(files).toHaveLength(report.counts.captured);
  expect(databases.map(({ file }) => file)).toEqual(files);
  expect(files.filter((file) => existsSync(file))).toEqual([]); // the shadow is gone again
  expect(told('contents').length).toBeGreaterThan(0);
  expect(told('id')).toBe(`${report.id} ${report.volumes[0]!.root}\n`);
});

test.each([
  ['exit 7', 'exit code 7'],
  ['kill -TERM $$', 'SIGTERM'],
])('%s: there is no backup, and nothing is left', async (line, message) => {
  const { exitCode, stdout } = await backUp([line]);
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'ERR_EXEC', message: expect.stringContaining(message) as string },
  });
  expect(readdirSync(join(domino.root, 'delta')).filter((name) => !name.startsWith('.'))).toEqual([]);
  expect(domino.inBackupMode.size).toBe(0);
});

test('what the program leaves running does not hold up the backup', async () => {
  const { exitCode, stderr } = await backUp(['sleep 600 &', 'echo $! > left-running', 'echo saved']);
  expect([exitCode, stderr]).toEqual([0, 'saved\n']);
  process.kill(Number(told('left-running')));
});

test('an interrupt ends the program and the backup', async () => {
  const controller = new AbortController();
  const ending = backUp(['touch running', 'sleep 60', 'true'], controller.signal); // a child process of the program
  while (!existsSync(join(domino.root, 'running'))) await new Promise((resolve) => setTimeout(resolve, 10));
  controller.abort(new Error('SIGINT'));
  expect((await ending).exitCode).toBe(130);
  expect(readdirSync(join(domino.root, 'delta')).filter((name) => !name.startsWith('.'))).toEqual([]);
});
