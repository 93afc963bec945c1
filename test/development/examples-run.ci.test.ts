// Runs the examples of the documentation, in the order of its pages, against a simulated server whose users write. not-run.ts
// says what is not run, and why. The tier ci leaves out what takes long.

import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { mainScript, plainEnvironment } from '../integration/command-line';
import { SimulatedDomino } from '../integration/simulated-domino';
import { memoryDirectory } from '../platform';
import { type Example, compile, examples, makeProject, root, writePrograms } from './examples';
import { notRun } from './not-run';

/** Run in every tier that has this test. The others start many processes, one after the other. */
const quickScripts = /^(README|docs\/(schedule|command-line\.md#domino-vss-(backup|databases|doctor|help)))/;
const isFull = process.env['DOMINO_VSS_TEST_TIER'] === 'full';
const all = examples();
const toRun = all.filter(({ name }) => !(name in notRun));
const programs = toRun.filter(({ language }) => language === 'ts' || language === 'js');
const scripts = toRun.filter(({ name, language }) => language === 'sh' && (isFull || quickScripts.test(name)));
const configurations = toRun.filter(({ language }) => language === 'json');

/** The id of a backup in the examples stands for the last one. */
const anyId = '20260807T101530Z-3f9a2c';
const restic = `export RESTIC_REPOSITORY=/mnt/restic RESTIC_PASSWORD_FILE=/etc/restic/password
rm -rf "$RESTIC_REPOSITORY" && restic init --quiet`;
const saveWithRestic = `${restic} && domino-vss backup run --delta-dir /backup/domino --exec /usr/local/bin/save-with-restic.sh &&
restic backup --quiet /backup/domino`;
/** A copy of the volume, as a snapshot of it would be. */
const copyVolume = (to: string): string =>
  `(cd "$(stat --format %m "$DATA")" && cp -r --parents "\${DATA#"$PWD"/}" ${to})`;
/** A backup whose part of the log is in the archive. */
const logged = `domino-vss backup run --delta-dir /backup/domino --to "$HOME/copies"
rm -rf /srv/recovery && newest=$(ls "$DATA"/logdir/*.TXN | tail -n 1)
while [ -e "$newest" ]; do domino-vss logs archive --log-archive /backup/logs; done`;
const withServerFiles = `domino-vss backup run --delta-dir /backup/domino --to "$HOME/copies" --server-files
rm -rf /root/server-files`;

/** What a reader of the page has done before, in the same shell. */
const before: Readonly<Record<string, string>> = {
  'docs/command-line.md#domino-vss-hold/2': 'set -- freeze',
  'docs/command-line.md#domino-vss-release': `domino-vss hold --delta-dir "$DELTA" && cp -r "$DATA/." "$SNAPSHOT"`,
  'docs/command-line.md#domino-vss-freezefail': 'domino-vss hold --delta-dir "$DELTA"',
  'docs/command-line.md#domino-vss-backup-extract': withServerFiles,
  'docs/command-line.md#domino-vss-logs-recovery-directory': logged,
  'docs/logs.md#recover-databases-of-another-log': logged,
  'docs/operations.md#server-files': withServerFiles,
  'docs/operations.md#save-with-another-program': restic,
  'docs/operations.md#save-with-another-program/2': saveWithRestic,
  'docs/schedule.md#systemd': 'cd "$ROOT"',
  'docs/unattended/kubernetes.md#a-snapshot-of-the-volume/2': `export DELTA=/backup/deltas
domino-vss hold --delta-dir "$DELTA" && ${copyVolume('/snapshot')} && domino-vss release --delta-dir "$DELTA"`,
  'docs/command-line.md#domino-vss-restore': 'domino-vss backup run --delta-dir "$DELTA" --to "$HOME/copies"',
  'docs/command-line.md#domino-vss-drill': 'domino-vss backup run --delta-dir "$DELTA" --to "$HOME/copies"',
  'docs/logs.md#restore-through-the-archive': 'domino-vss logs archive --log-archive /backup/logs',
  'docs/recipes/README.md#a-volume-manager': 'PATH="$PATH:$ROOT/docs/recipes"',
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

/** What prints a text of the documentation, below the home directory of a user. */
const printedBy: Readonly<Record<string, string>> = {
  'docs/scripts.md#how-a-script-runs': `
    printf '%s\\n' 'set context persistent' 'set metadata c:\\' '' 'begin backup' 'add volume d: alias backup' \\
      'expose %bakup% b:' > backup.txt
    { domino-vss script --check backup.txt 2>&1 || true; } | grep --after-context 1 'not defined' | sed "s|^$PWD/||"`,
};

let domino: SimulatedDomino;
let server: Server;
let project: string;
let files: Map<string, string>;
let environment: Record<string, string>;

beforeAll(async () => {
  const settings = { SIM_LOG_EXTENT_BYTES: 8_192 };
  domino = await SimulatedDomino.create({ databases: 12, plainNames: true, log: 'archive', settings }, memoryDirectory);
  server = await domino.serve({ threads: 1, transactionsPerSecond: 50 });
  project = join(domino.home, 'project');
  for (const directory of [
    'project',
    'user',
    'bin',
    'backup/domino',
    'mnt/snapshot',
    'mnt/offsite',
    'lv',
    'snapshot',
  ]) {
    mkdirSync(join(domino.home, directory), { recursive: true });
  }
  for (const directory of ['root', 'srv', 'restore', 'etc/restic', 'etc/systemd/system', 'usr/local/bin']) {
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
    const ended = await run(process.execPath, [join('out', files.get(name)!)], project, serverEnvironment());
    expect(failureOf(ended)).toBe('');
  },
  60_000,
);

test.each(scripts.map((example) => [example.name, example] as const))(
  '%s',
  async (_name, example) => {
    expect(failureOf(await shell(placed(example).text))).toBe('');
  },
  60_000,
);

test.each(configurations.map((example) => [example.name, example] as const))('%s', async (_name, example) => {
  const file = join(domino.home, 'example.json');
  writeFileSync(file, placed(example).text, { mode: 0o600 });
  const { code, output } = await shell(
    `DOMINO_VSS_CONFIG="${file}" domino-vss doctor --ini "$INI" --program "$PROGRAM"`,
  );
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining(file) as string });
});

test.each(Object.entries(printedBy))('%s is printed', async (name, script) => {
  const { text } = all.find((example) => example.name === name)!;
  expect(await shell(script)).toEqual({ code: 0, output: text });
});

/** An example with what comes before and after it, and with paths of the simulated server instead of those on the page. */
function placed({ name, language, text }: Example): Example {
  const { home, shadowDirectory } = domino;
  const places: Readonly<Record<string, string>> = {
    'mail/ada.nsf': 'mail/db000000.nsf',
    // Restored below another directory, with their whole paths.
    '/restore/backup': join(home, 'restore', home, 'backup'),
    '/restore/local/.domino-vss': join(home, 'restore', shadowDirectory),
  };
  const onPages =
    /mail\/ada\.nsf|(?<![\w./])\/(?:restore\/(?:backup|local\/\.domino-vss)|backup|mnt|tmp|root|srv|snapshot|restore|etc|usr|var)\b/g;
  const whole = `${before[name] ?? ''}\n${text}${after[name] ?? ''}\n`;
  const here = whole.replace(onPages, (path) => places[path] ?? join(home, path));
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
    'domino-vss': `last=$(ls "$DELTA" | grep '^2' | sort | tail -n 1)
exec "${process.execPath}" "${mainScript}" "\${@//${anyId}/$last}"`,
    restic: `last=$(ls "$DELTA" | grep '^2' | sort | tail -n 1)
PATH="\${PATH#*:}" exec restic "\${@//${anyId}/$last}"`,
    sudo: `exec "$@"`,
    'systemd-analyze': `[ "$1" = verify ] && ls "\${@:2}"`,
    systemctl: `units="${join(home, 'etc', 'systemd', 'system')}"
case "$*" in
'daemon-reload' | 'list-timers domino-vss-*') ;;
'enable --now '*) for unit in "\${@:3}"; do [ -f "$units/$unit" ]; done ;;
*) exit 1 ;;
esac`,
    journalctl: `[ "$*" = '--unit domino-vss-backup.service' ]`,
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
  writeFileSync(join(home, 'etc', 'restic', 'password'), 'x');
  const saver = join(home, 'usr', 'local', 'bin', 'save-with-restic.sh');
  copyFileSync(join(root, 'docs', 'recipes', 'save-with-restic.sh'), saver);
  chmodSync(saver, 0o700);
  const user = join(home, 'user');
  for (const directory of ['.zfunc', '.config/fish/completions']) mkdirSync(join(user, directory), { recursive: true });
  writeFileSync(join(user, 'backup_start.txt'), 'begin backup\nadd volume d:\ncreate\n');
  return {
    PATH: [bin, plainEnvironment['PATH']].join(delimiter),
    HOME: user,
    SIM_ALLOW_ROOT: '1',
    DATA: simulation.dataDirectory,
    DELTA: deltaDirectory,
    INI: domino.simulation.notesIni,
    PROGRAM: domino.simulation.programDirectory,
    ROOT: root,
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

/** How it failed, with all that it said; empty if it did not. */
function failureOf({ code, output }: Ended): string {
  return code === 0 ? '' : `${code}: ${output}`;
}

/** Runs lines as a user of the server does. */
function shell(text: string): Promise<Ended> {
  return run('bash', ['-euo', 'pipefail', '-c', text], join(domino.home, 'user'), {});
}

interface Ended {
  readonly code: number | null;
  /** All that it has said, in the order in which it came. */
  readonly output: string;
}

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> {
  const child = spawn(program, args, { cwd, env: { ...environment, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => {
      resolve({ code, output });
    });
  });
}
