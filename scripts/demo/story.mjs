// A whole story in a minute: a simulated Domino under load, a backup, a destroyed database, its restore, and the proof from
// the workload's own log that everything is as it was at the start of the backup. What it needs is built already.
//
//   node scripts/demo/story.mjs DATABASES DIRECTORY

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodeOfInterrupt, interrupted } from '../setup/interrupt.mjs';

const root = resolve(fileURLToPath(import.meta.url), '../../..');
const [databases, directory] = [Number(process.argv[2]), process.argv[3]];
const require = createRequire(import.meta.url);
const { createSimulation } = require('../../simulator');
const { readManifest } = require('../../dist');
const windows = process.platform === 'win32';

/** Where Windows shows the shadow. */
const exposedDrive = 'B:';
const home = mkdtempSync(join(directory, 'domino-vss-demo-'));
const deltas = join(home, 'backup');
const copies = join(home, 'copies');
let simulation;
let server;

try {
  title(`A simulated Domino server with ${databases} databases, written by two threads and a second process`);
  simulation = await createSimulation({
    directory: join(home, 'domino'),
    databases,
    log: 'circular',
    unloggedShare: 0.2,
  });
  server = await simulation.serve({ threads: 2, transactionsPerSecond: 2000, secondProcess: true });
  say(`data directory ${simulation.dataDirectory}`);

  title('Back up every database while it is written');
  const where = ['--ini', simulation.notesIni, '--program', simulation.programDirectory];
  const exposed = windows ? ['--expose', exposedDrive] : [];
  await command(['backup', 'run', '--delta-dir', deltas, '--to', copies, ...exposed, ...where]);
  const id = readdirSync(deltas).find((name) => !name.startsWith('.'));
  const manifest = await readManifest(join(deltas, id));
  const lines = [];
  for await (const line of manifest.databases()) lines.push(line);

  title("Proof: each copy against the workload's own log, replayed to the start of its backup");
  const verdicts = await simulation.verify(lines.map((line) => join(copies, id, line.copy.file)));
  const consistent = verdicts.filter((verdict) => verdict.verdict === 'consistent').length;
  say(`${consistent} of ${lines.length} copies are, byte for byte, one point of the history of their database`);
  say(
    `${lines.filter((line) => line.deltaBytes > 0).length} of them were torn until their change information was applied`,
  );
  if (consistent !== lines.length) throw new Error('a copy is torn');

  if (windows) await showShadow(lines);

  const victim = lines.find((line) => line.path.startsWith('mail/') && !line.logged);
  title(`Destroy ${victim.path}, then restore it while the server runs`);
  await server.pause();
  writeFileSync(victim.file, 'nothing left of it');
  say(`${victim.path} is now: ${describe(await simulation.verify([victim.file]))}`);
  await command(['restore', id, victim.path, '--delta-dir', deltas, ...where]);
  const restored = await simulation.verify([victim.file]);
  say(`${victim.path} is now: ${describe(restored)}`);
  if (restored[0].verdict !== 'consistent') throw new Error('the restored database is torn');

  title('The freeze window of that backup');
  await command(['backup', 'show', id, '--delta-dir', deltas], /^freeze window|│/);
  say(`provider ${manifest.provider.name}: ${manifest.provider.reason}`);
  if (manifest.provider.name === 'rolling') {
    say('each database has a small window of its own; see one window for all with --directory on XFS or btrfs');
  }
  const { accounting } = await simulation.stats();
  if (accounting.crashedParticipants > 0) throw new Error('a process left Domino without taking its leave');
} catch (error) {
  // The program of the foreground, of which Ctrl-C made an end, is no fault.
  if (!interrupted()) console.error(error);
  process.exitCode = interrupted() ? exitCodeOfInterrupt : 1;
} finally {
  await server?.stop().catch(() => undefined);
  await simulation?.destroy().catch(() => undefined);
  rmSync(home, { recursive: true, force: true });
  if (interrupted()) console.error('interrupted: nothing is left of the simulated server and its backup');
}

/** The shadow is there for every program until it is deleted. */
async function showShadow(lines) {
  title(`The shadow copy as drive ${exposedDrive}`);
  await command(['shadow', 'list', '--delta-dir', deltas]);
  const data = relative('C:\\', simulation.dataDirectory);
  say(
    `dir ${exposedDrive}\\…\\data: ${readdirSync(join(`${exposedDrive}\\`, data))
      .sort()
      .join('  ')}`,
  );
  await command(['shadow', 'delete', '--exposed', exposedDrive, '--delta-dir', deltas]);
  if (lines.length !== databases) throw new Error('databases are missing');
}

function title(text) {
  if (interrupted()) throw new Error('interrupted');
  console.log(`\n${process.stdout.isTTY ? `\u001b[1m${text}\u001b[22m` : text}`);
}

function say(text) {
  console.log(`  ${text}`);
}

function describe([verdict]) {
  if (verdict.verdict === 'consistent') return `consistent, as after its transaction ${verdict.sequence}`;
  return `unusable: ${verdict.problem}`;
}

/** Runs the command line as a user would, and shows what the user would see, or those lines of it that match. */
async function command(args, shown) {
  const words = args.map((arg) => (arg.includes(' ') ? JSON.stringify(arg) : arg)).join(' ');
  console.log(`  $ domino-vss ${words}`.replaceAll(home, '…').replaceAll(root.replace(/[\\/]$/, ''), '.'));
  const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
    stdio: ['ignore', shown ? 'pipe' : 'inherit', 'inherit'],
    env: { ...process.env, SIM_ALLOW_ROOT: '1', SIM_QUIET: '1' },
  });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => (output += text));
  const code = await new Promise((done, failed) => child.on('error', failed).on('close', done));
  for (const line of output.split('\n')) if (shown?.test(line)) console.log(line);
  if (code !== 0) throw new Error(`domino-vss ended with exit code ${code}`);
}
