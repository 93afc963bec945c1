// Runs the examples of the documentation, in the order of its pages, against a simulated server whose users write. examples.ts
// says what is not run, and why.

import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { mainScript, plainEnvironment } from '../integration/command-line';
import { SimulatedDomino } from '../integration/simulated-domino';
import { memoryDirectory } from '../platform';
import { type Example, compile, examples, makeProject, notRun, root, writePrograms } from './examples';

const toRun = examples().filter(({ name, language }) => !(name in notRun) && language !== 'json');
const programs = toRun.filter(({ language }) => language !== 'sh');
const scripts = toRun.filter(({ language }) => language === 'sh');

/** What a reader of the page has done before, in the same shell. */
const before: Readonly<Record<string, string>> = {
  'docs/command-line.md#domino-vss-hold/2': 'set -- freeze',
  'docs/command-line.md#domino-vss-release': `domino-vss hold --delta-dir "$DELTA" && cp -r "$DATA/." "$SNAPSHOT"`,
  'docs/command-line.md#domino-vss-freezefail': 'domino-vss hold --delta-dir "$DELTA"',
  'docs/command-line.md#domino-vss-restore': 'domino-vss backup run --delta-dir "$DELTA" --to "$HOME/copies"',
  'docs/command-line.md#domino-vss-drill': 'domino-vss backup run --delta-dir "$DELTA" --to "$HOME/copies"',
  'docs/logs.md#restore-through-the-archive': 'domino-vss logs archive --log-archive /backup/logs',
  'docs/recipes/README.md#a-volume-manager': `PATH="$PATH:${root}/docs/recipes"`,
};
/** Proves that an example has worked, if its exit code does not. */
const after: Readonly<Record<string, string>> = {
  'docs/command-line.md#domino-vss-hold/2': 'domino-vss thaw --failed',
  'docs/api.md#the-timeline': `
    import { beginBackup } from 'domino-vss';
    import { ended } from '@opentelemetry/api';
    const backup = await beginBackup({ deltaDirectory: '/backup/domino' });
    await backup.createShadow();
    await backup.dispose();
    if (!ended.includes('freeze window')) throw new Error('no span');`,
  'docs/install.md#bundlers': `
    require('domino-vss').findDatabases().then(() => {
      const { sharedObjects: loaded } = /** @type {any} */ (process.report.getReport());
      if (!loaded.includes(require('node:path').join(__dirname, 'domino-vss.node'))) throw new Error('another addon');
    });`,
};

let domino: SimulatedDomino;
let server: Server;
let project: string;
let files: Map<string, string>;
let environment: Record<string, string>;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 12, plainNames: true, log: 'archive' }, memoryDirectory);
  server = await domino.serve({ threads: 1, transactionsPerSecond: 50 });
  project = join(domino.home, 'project');
  for (const directory of ['project', 'user', 'bin', 'backup/domino', 'mnt/snapshot', 'mnt/offsite', 'lv']) {
    mkdirSync(join(domino.home, directory), { recursive: true });
  }
  environment = { ...plainEnvironment, ...theSystem() };
  makeProject(project);
  files = writePrograms(project, programs.map(placed));
  expect(compile(project, join(project, 'out'))).toBe('');
  // The addon is beside the program that names it.
  copyFileSync(join(root, 'build', 'Release', 'domino_vss.node'), join(project, 'out', 'domino-vss.node'));
}, 120_000);

afterAll(async () => {
  await server.stop();
  await domino.expectQuiet();
  await domino[Symbol.asyncDispose]();
});

test.each(programs.map(({ name }) => name))(
  '%s',
  async (name) => {
    expect(await run(process.execPath, [join('out', files.get(name)!)], project, serverEnvironment())).toBe('');
  },
  60_000,
);

test.each(scripts.map((example) => [example.name, example] as const))(
  '%s',
  async (_name, example) => {
    const { text } = placed(example);
    const user = join(domino.home, 'user');
    expect(await run('bash', ['-euo', 'pipefail', '-c', text], user, {})).toBe('');
  },
  60_000,
);

/** An example with what comes before and after it, and with paths of the simulated server instead of those on the page. */
function placed({ name, language, text }: Example): Example {
  const { home, shadowDirectory } = domino;
  const places: Readonly<Record<string, string>> = {
    '/backup/': join(home, 'backup', '/'),
    '/mnt/': join(home, 'mnt', '/'),
    '/tmp/': join(home, 'tmp', '/'),
    'mail/ada.nsf': 'mail/db000000.nsf',
  };
  const whole = `${before[name] ?? ''}\n${text}${after[name] ?? ''}\n`;
  const here = Object.entries(places).reduce((old, [from, to]) => old.replaceAll(from, to), whole);
  // Not everybody may write to the default path, at the top of the file system.
  const shadowed = here.replaceAll('beginBackup({ ', `beginBackup({ shadowDirectory: '${shadowDirectory}', `);
  return { name, language, text: language === 'sh' || here.includes('provider: ') ? here : shadowed };
}

/** A system with the command line, the server's settings, and a volume group whose snapshots are copies. */
function theSystem(): Record<string, string> {
  const { home, location, shadowDirectory, simulation } = domino;
  const deltaDirectory = join(home, 'backup', 'domino');
  const bin = join(home, 'bin');
  const config = join(home, 'config.json');
  const { notesIni: ini, programDirectory: program } = location;
  writeFileSync(config, JSON.stringify({ ini, program, 'shadow-dir': shadowDirectory }), { mode: 0o600 });
  writeFileSync(join(home, 'domino-vss.conf'), `DOMINO_VSS="${bin}/domino-vss"\nDELTA_DIR="${deltaDirectory}"\n`);
  const lv = join(home, 'lv');
  const stubs: Readonly<Record<string, string>> = {
    // The id in the examples stands for the last backup.
    'domino-vss': `last=$(ls "$DELTA" | grep '^2' | sort | tail -n 1)
exec "${process.execPath}" "${mainScript}" "\${@//20260807T101530Z-3f9a2c/$last}"`,
    lvcreate: `while [ "$1" != --name ]; do shift; done
mkdir -p "${lv}/$2$DATA" && cp -r "$DATA/." "${lv}/$2$DATA"`,
    lvs: `ls "${lv}"`,
    lvremove: `rm -r "${lv}/\${2##*/}"`,
    mount: `rmdir "$4" && ln -s "${lv}/\${3##*/}" "$4"`,
    umount: `rm "$1" && mkdir "$1"`,
    zfs: `[ "$1" = snapshot ]`,
    rsync: `[ "$1 $2" = '--archive --sparse' ] && cp --archive --sparse=always "\${@:3}"`,
  };
  for (const [name, text] of Object.entries(stubs)) {
    writeFileSync(join(bin, name), `#!/bin/bash\nset -e\n${text}\n`, { mode: 0o700 });
  }
  const user = join(home, 'user');
  for (const directory of ['.zfunc', '.config/fish/completions']) mkdirSync(join(user, directory), { recursive: true });
  writeFileSync(join(user, 'backup_start.txt'), 'begin backup\nadd volume d:\ncreate\n');
  return {
    PATH: [bin, plainEnvironment['PATH']].join(delimiter),
    HOME: user,
    SIM_ALLOW_ROOT: '1',
    DATA: simulation.dataDirectory,
    DELTA: deltaDirectory,
    SNAPSHOT: join(home, 'mnt', 'snapshot'),
    DOMINO_VSS_CONFIG: config,
    DOMINO_VSS_CONF: join(home, 'domino-vss.conf'),
  };
}

/** The environment that a program must be started with; the command line finds it by itself. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const server = domino.simulation.environment;
  return { ...server, PATH: [environment['PATH'], server['PATH']].join(delimiter) };
}

/** Returns how a program failed, with its complete output; empty if it did not. */
function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(program, args, { cwd, env: { ...environment, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => {
      resolve(code === 0 ? '' : `${code}: ${output}`);
    });
  });
}
