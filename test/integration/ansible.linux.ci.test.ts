// The playbook of docs/unattended, run by Ansible for three simulated servers at once.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mainScript, repository, RunningProcess, type Ended } from './command-line';
import { SimulatedDomino } from './simulated-domino';

const names = ['dublin', 'oslo', 'turin'];
const usable = spawnSync('ansible-playbook', ['--version']).error === undefined;

interface Report {
  readonly outcome?: string;
  readonly skipped?: readonly { readonly database: string }[];
}

let home: string;
const servers = new Map<string, SimulatedDomino>();

/** The command of one server with its own configuration, as if it were on its own machine. */
const commandOf = (name: string): string => join(home, name, 'domino-vss');
const reportOf = (name: string): Report | undefined => {
  const file = join(home, 'reports', `${name}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : undefined;
};
const backupsOf = (name: string): string[] =>
  readdirSync(servers.get(name)!.deltaDirectory).filter((entry) => /^\d{8}T/.test(entry));

async function makeServer(name: string): Promise<void> {
  const domino = await SimulatedDomino.create({ databases: 6, plainNames: true });
  servers.set(name, domino);
  const { deltaDirectory, shadowDirectory, simulation } = domino;
  mkdirSync(join(home, name));
  const config = join(home, name, 'config.json');
  const { notesIni: ini, programDirectory: program } = simulation;
  const run = { to: join(domino.home, 'copies'), 'shadow-dir': shadowDirectory };
  const settings = { ini, program, 'delta-dir': deltaDirectory, 'backup run': run };
  writeFileSync(config, JSON.stringify({ ...settings, 'backup prune': { 'keep-last': 1 } }), { mode: 0o600 });
  // Each backup continues only once the others have begun: run one after the other, none would.
  writeFileSync(
    commandOf(name),
    `#!/bin/sh
if [ "$2" = run ]; then
  touch '${join(home, 'begun', name)}'
  tries=0
  while [ "$(ls '${join(home, 'begun')}' | wc -l)" -lt "$(cat '${join(home, 'together')}')" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || exit 70
    sleep 0.05
  done
fi
DOMINO_VSS_CONFIG='${config}' exec '${process.execPath}' '${mainScript}' "$@"
`,
    { mode: 0o700 },
  );
}

async function play(together: number): Promise<Ended> {
  rmSync(join(home, 'begun'), { recursive: true, force: true });
  mkdirSync(join(home, 'begun'));
  writeFileSync(join(home, 'together'), String(together));
  const playbook = join(repository, 'docs', 'unattended', 'backup-servers.yml');
  const args = ['--inventory', join(home, 'hosts'), playbook, '--extra-vars', `reports=${join(home, 'reports')}`];
  const env = { HOME: home, LC_ALL: 'C.UTF-8', ANSIBLE_NOCOLOR: '1', SIM_ALLOW_ROOT: '1' };
  return new RunningProcess('ansible-playbook', args, { cwd: home, env }).ended;
}

(usable ? describe : describe.skip)('the playbook for three servers', () => {
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'ansible-'));
    await Promise.all(names.map(makeServer));
    const hosts = names.map((name) => `${name} ansible_connection=local domino_vss=${commandOf(name)}\n`).join('');
    const python = 'ansible_python_interpreter=/usr/bin/python3';
    writeFileSync(join(home, 'hosts'), `[domino]\n${hosts}\n[all:vars]\n${python}\n`);
  }, 60_000);

  afterAll(async () => {
    for (const domino of servers.values()) await domino[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  });

  test('backs them up side by side and gathers their reports', async () => {
    const { code, stdout, stderr } = await play(names.length);
    expect({ code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({ code: 0, stderr: '', stdout: '' });
    expect(names.map((name) => reportOf(name)?.outcome)).toEqual(['complete', 'complete', 'complete']);
    expect(names.map((name) => backupsOf(name).length)).toEqual([1, 1, 1]);
    for (const domino of servers.values()) await domino.expectQuiet();
  }, 120_000);

  test('prunes, fails for a partial backup and for a server that does not answer, and does the rest', async () => {
    const refusing = servers.get('oslo')!;
    const [victim = ''] = refusing.simulation.databases();
    await refusing.simulation.fault(`NSFBackupStart:1+@${victim}=0x13aa`);
    rmSync(commandOf('turin'));
    const before = backupsOf('dublin');
    const { code, stdout } = await play(2);
    await refusing.simulation.clearFaults();
    expect({ code, stdout: code === 2 ? '' : stdout }).toEqual({ code: 2, stdout: '' });
    const said = stdout.replace(/\s+/g, ' ');
    expect(said).toContain(`oslo: exit code 3. partial [${victim}: NSFBackupStart ERR_CANT_BACKUP_DURING_COMPACT`);
    expect(said).toMatch(/turin: exit code 2\. .*No such file or directory/);
    expect(names.map((name) => reportOf(name)?.outcome)).toEqual(['complete', 'partial', undefined]);
    expect(reportOf('oslo')?.skipped?.map(({ database }) => database)).toEqual([victim]);
    // Without a complete backup of this night, nothing is removed.
    expect(names.map((name) => backupsOf(name).length)).toEqual([1, 2, 1]);
    expect(backupsOf('dublin')).not.toEqual(before);
    for (const domino of servers.values()) await domino.expectQuiet();
  }, 120_000);
});
