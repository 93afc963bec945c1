// The YAML of docs/unattended is valid, its jobs call domino-vss correctly, and their scripts roll back what they have begun. The
// kubectl here only records its calls: no cluster is needed, and its behaviour is not tested.

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { wholeGrammar } from '#lib/cli/pages/pages';

const root = join(__dirname, '../../..');
const directory = join(root, 'docs', 'unattended');
const page = readFileSync(join(directory, 'kubernetes.md'), 'utf8');
const blocks = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = '']) => text);
/** The scripts of the CronJobs, as a shell gets them. */
const scripts = new Map(
  blocks.flatMap((text): [string, string][] => {
    const [, name = ''] = /^kind: CronJob\nmetadata:\n {2}name: (\S+)/m.exec(text) ?? [];
    const [, indent = '', script = ''] = /- \|\n( +)([^]*)$/.exec(text) ?? [];
    return name === '' ? [] : [[name, script.replaceAll(`\n${indent}`, '\n')]];
  }),
);

describe('YAML', () => {
  const documents: [string, string][] = [
    ...blocks.map((text, index): [string, string] => [`kubernetes.md, block ${index + 1}`, text]),
    ...readdirSync(directory)
      .filter((file) => file.endsWith('.yml'))
      .map((file): [string, string] => [file, readFileSync(join(directory, file), 'utf8')]),
  ];

  test.each(documents)('%s', (_name, text) => {
    const prettier = join(root, 'node_modules', 'prettier', 'bin', 'prettier.cjs');
    const { status, stderr } = spawnSync(process.execPath, [prettier, '--parser', 'yaml'], {
      input: text,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

test.each([...scripts])('%s calls domino-vss with options that it has', (_name, script) => {
  const { grammar } = wholeGrammar();
  const calls = [...script.matchAll(/domino-vss (.+?)(?: \|\||$)/gm)].map(([, words = '']) => words);
  expect(calls.length).toBeGreaterThan(1);
  const unknown = calls.flatMap((words) => {
    const command = grammar.commands.find(({ name }) => `${words} `.startsWith(`${name} `));
    const options = words.match(/--[\w-]+/g) ?? [];
    return options.filter((option) => !command?.options.some(({ names }) => names.includes(option))).map(() => words);
  });
  expect(unknown).toEqual([]);
});

describe('the job', () => {
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'kubectl-'));
    // Fails for a call that contains the word in the file "refuse".
    writeFileSync(
      join(home, 'kubectl'),
      `#!/bin/sh
shift_to_command() { while [ $# -gt 0 ] && [ "$1" != -- ]; do shift; done; [ $# -eq 0 ] || shift; echo "$*"; }
case $1 in exec) call=$(shift_to_command "$@") ;; *) call="kubectl $*" ;; esac
echo "$call" >> '${home}/calls'
[ "$1" != create ] || cat > '${home}/created'
refuse=$(cat '${home}/refuse' 2> /dev/null || echo nothing)
case $call in *"$refuse"*) exit 3 ;; esac
[ "$1" != create ] || echo volumesnapshot.snapshot.storage.k8s.io/domino-data-x7k2p
`,
    );
    chmodSync(join(home, 'kubectl'), 0o700);
  });

  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  /** Runs the script of a CronJob. Returns its exit code, and the first words of each call. */
  function run(name: string, refuse?: string): { status: number | null; calls: string[] } {
    if (refuse !== undefined) writeFileSync(join(home, 'refuse'), refuse);
    const env = { PATH: [home, process.env['PATH']].join(delimiter) };
    const { status } = spawnSync('/bin/sh', ['-euc', scripts.get(name)!], { env, encoding: 'utf8' });
    const calls = readFileSync(join(home, 'calls'), 'utf8').trimEnd().split('\n');
    return {
      status,
      calls: calls.map((call) => call.replace(/ --(?:delta-dir|to|max-hold|timeout|keep-daily) \S+/g, '')),
    };
  }

  const snapshot = 'volumesnapshot.snapshot.storage.k8s.io/domino-data-x7k2p';
  const hold = 'domino-vss hold';
  const create = 'kubectl create --output name --filename -';
  const cut = `kubectl wait --for jsonpath={.status.creationTime} ${snapshot}`;
  const ready = `kubectl wait --for jsonpath={.status.readyToUse}=true ${snapshot}`;
  const takenBack = ['domino-vss release --failed', `kubectl delete ${snapshot}`];

  test('backs up, then prunes', () => {
    expect(run('domino-backup')).toEqual({
      status: 0,
      calls: ['domino-vss backup run --json', 'domino-vss backup prune --json'],
    });
  });

  test('prunes nothing after a partial backup, and fails with its exit code', () => {
    expect(run('domino-backup', 'backup run')).toEqual({ status: 3, calls: ['domino-vss backup run --json'] });
  });

  test('holds, cuts the snapshot, releases, and waits for the copy only then', () => {
    expect(run('domino-snapshot')).toEqual({ status: 0, calls: [hold, create, cut, 'domino-vss release', ready] });
    expect(readFileSync(join(home, 'created'), 'utf8')).toMatch(/^apiVersion: \S+\nkind: VolumeSnapshot\n/);
  });

  test.each([
    ['hold', 'domino-vss hold', [hold, 'domino-vss release --failed']],
    ['creation', 'create', [hold, create, 'domino-vss release --failed']],
    ['snapshot', 'creationTime', [hold, create, cut, ...takenBack]],
    ['release', 'release', [hold, create, cut, 'domino-vss release', ...takenBack]],
  ])('takes everything back after a failed %s', (_what, refuse, calls) => {
    expect(run('domino-snapshot', refuse)).toEqual({ status: 3, calls });
    expect(existsSync(join(home, 'created'))).toBe(refuse !== 'domino-vss hold');
  });
});
