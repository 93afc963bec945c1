// A test failure is in the report, whatever the error contains: Jest sends it as JSON, which cannot represent everything.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const repository = join(__dirname, '../../..');

/** Test files; Jest runs each in a worker. */
const files = {
  hook: `
    const { execFileSync } = require('node:child_process');
    beforeAll(() => { execFileSync('/no/such/program', ['--quiet']); });
    test('after it', () => {});`,
  test: `
    const { execFileSync } = require('node:child_process');
    const call = (script, options) => execFileSync('sh', ['-c', script], options);
    test('exit code', () => { call('echo what; echo why >&2; exit 3', { stdio: 'pipe' }); });
    test('signal', () => { call('kill -9 $$'); });
    test('large integer', () => { expect(1n).toBe(2n); });
    test('cause', () => {
      const cause = new Error('the cause');
      throw new Error('the consequence', { cause: Object.assign(cause, { cause }) });
    });
    test('no error at all', () => { const thrown = {}; throw Object.assign(thrown, { thrown }); });`,
};

interface Results {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly failureMessages: readonly string[] }[];
  }[];
}

let messages: ReadonlyMap<string, string>;
let shown: string;

beforeAll(() => {
  const directory = mkdtempSync(join(tmpdir(), 'domino-vss-failed-tests-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, `${name}.test.js`), text);
    const config = {
      rootDir: directory,
      testEnvironment: join(repository, 'test', 'jest-environment.js'),
      transform: {},
      workerIdleMemoryLimit: '1KB',
    };
    const report = join(directory, 'report.json');
    const jest = join(repository, 'node_modules', 'jest', 'bin', 'jest.js');
    const args = ['--config', JSON.stringify(config), '--json', `--outputFile=${report}`];
    shown = spawnSync(process.execPath, [jest, ...args], { cwd: directory, encoding: 'utf8' }).stderr;
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Results;
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
    messages = new Map(tests.map(({ title, failureMessages }) => [title, failureMessages.join('\n')]));
  } finally {
    rmSync(directory, { recursive: true });
  }
}, 60_000);

test('a program that is not there', () => {
  expect(messages.get('after it')).toContain('spawnSync /no/such/program ENOENT');
  expect(shown).toContain('spawnSync /no/such/program ENOENT');
});

test('a program that fails, with its exit code and all that it wrote', () => {
  const words = /Command failed: sh -c .*\nwhy\nIt ended with exit code 3\.\nIt had printed:\nwhat\n/;
  expect(messages.get('exit code')).toMatch(words);
  expect(shown).toContain('It ended with exit code 3.');
});

test('a program that is killed', () => {
  expect(messages.get('signal')).toContain('It ended with SIGKILL.');
});

test('a matcher that compared what JSON cannot hold', () => {
  expect(messages.get('large integer')).toMatch(/Received: .*1n/);
});

test('the cause of an error', () => {
  expect(messages.get('cause')).toMatch(/the consequence[^]*Cause: .*the cause/);
  expect(shown).toMatch(/Cause: .*the cause/);
});

test('what is no error', () => {
  expect(messages.get('no error at all')).toContain('[Circular]');
});
