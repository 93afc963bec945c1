'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');

const isWindows = process.platform === 'win32';
const buildDirectory = path.join(__dirname, 'build', ...(isWindows ? ['win32-x64'] : []));
const programDirectory = path.join(buildDirectory, 'program');
const executable = path.join(buildDirectory, isWindows ? 'domino-sim.exe' : 'domino-sim');
const libraryName = isWindows ? 'nnotes.dll' : 'libnotes.so';

function isBuilt() {
  return (
    fs.existsSync(executable) &&
    fs.existsSync(path.join(programDirectory, libraryName)) &&
    fs.existsSync(path.join(programDirectory, 'res', 'C', 'strings.lmb'))
  );
}

/** Runs domino-sim to its end. Exit codes other than `exitCodes` are failures. */
async function runTool(args, { input, exitCodes = [0] } = {}) {
  const child = spawn(executable, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const stdout = [];
  const stderr = [];
  child.stdout.on('data', (chunk) => stdout.push(chunk));
  child.stderr.on('data', (chunk) => stderr.push(chunk));
  child.stdin.on('error', () => {}); // a tool that fails early does not read its input
  child.stdin.end(input ?? '');
  const [code, signal] = await once(child, 'close');
  if (!exitCodes.includes(code)) {
    const reason = Buffer.concat(stderr).toString().trim();
    throw new Error(`domino-sim ${args[0]} ended with ${signal ?? code}: ${reason}`);
  }
  return Buffer.concat(stdout).toString();
}

/** `null` resets a setting to the value each process was started with. */
function assignments(settings) {
  return Object.entries(settings).map(([name, value]) => {
    const text = typeof value === 'boolean' ? Number(value) : (value ?? '');
    return `${name}=${text}`;
  });
}

class Server {
  #child;
  #waiting = [];
  #exit;
  #stderr = [];

  constructor(child) {
    this.#child = child;
    this.pid = child.pid;
    this.#exit = once(child, 'close');
    child.stderr.on('data', (chunk) => this.#stderr.push(chunk));
    child.stdin.on('error', () => {}); // it may have been killed
    readline.createInterface({ input: child.stdout }).on('line', (line) => {
      this.#waiting.shift()?.resolve(JSON.parse(line));
    });
    child.once('close', (code, signal) => {
      const reason = `domino-sim serve ended with ${signal ?? code}: ${Buffer.concat(this.#stderr).toString().trim()}`;
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(reason));
    });
  }

  /** The first line reports that the server is ready. */
  static async start(args) {
    const child = spawn(executable, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const server = new Server(child);
    await server.#nextAnswer();
    return server;
  }

  #nextAnswer() {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async #ask(line) {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      throw new Error('the simulated server is not running');
    }
    const answer = this.#nextAnswer();
    this.#child.stdin.write(`${line}\n`);
    const { ok, error, status, ...rest } = await answer;
    if (!ok) {
      const hex = status === undefined ? '' : ` (status 0x${status.toString(16).padStart(4, '0')})`;
      throw Object.assign(new Error(`${line}: ${error}${hex}`), status === undefined ? {} : { status });
    }
    return rest;
  }

  async run(database, transactions) {
    await this.#ask(`run ${database} ${transactions}`);
  }

  async hold(database, pages) {
    await this.#ask(`hold ${database} ${pages}`);
  }

  async release(database) {
    await this.#ask(`release ${database}`);
  }

  async pause() {
    await this.#ask('pause');
  }

  async resume() {
    await this.#ask('resume');
  }

  async compact(database, { durationMs = 0, style = 'in-place' } = {}) {
    await this.#ask(style === 'copy' ? `compact-copy ${database}` : `compact ${database} ${durationMs}`);
  }

  async endCompact(database) {
    await this.#ask(`compact-end ${database}`);
  }

  async flushCache() {
    await this.#ask('dbcache-flush');
  }

  async fixup(database) {
    await this.#ask(`fixup ${database}`);
  }

  stats() {
    return this.#ask('stats');
  }

  /** Closing its input stops it, because Windows has no signal to request that. */
  async stop() {
    this.#child.stdin.end();
    await this.#exit;
  }

  async kill() {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}

class Simulation {
  #directory;
  #databases;
  #servers = new Set();

  constructor({ directory, created }) {
    this.#directory = directory;
    this.#databases = created.databases;
    this.programDirectory = programDirectory;
    this.notesIni = created.notesIni;
    this.dataDirectory = created.dataDirectory;
    this.logDirectory = path.join(directory, 'workload');
    const joined = (...parts) => parts.filter(Boolean).join(path.delimiter);
    this.environment = isWindows
      ? { PATH: joined(process.env.PATH, programDirectory) }
      : {
          LD_LIBRARY_PATH: joined(programDirectory, process.env.LD_LIBRARY_PATH),
          Notes_ExecDirectory: programDirectory,
          PATH: joined(process.env.PATH, programDirectory, path.join(programDirectory, 'res', 'C'), this.dataDirectory),
          Directory: this.dataDirectory,
        };
  }

  databases() {
    return [...this.#databases];
  }

  async set(settings) {
    await runTool(['set', '--ini', this.notesIni, ...assignments(settings)]);
  }

  async fault(...specifications) {
    await runTool(['fault', '--ini', this.notesIni, ...specifications]);
  }

  async clearFaults() {
    await runTool(['faults', '--ini', this.notesIni, '--clear']);
  }

  async stats() {
    return JSON.parse(await runTool(['stats', '--ini', this.notesIni, '--json']));
  }

  async restartServerState() {
    await runTool(['restart-server-state', '--ini', this.notesIni]);
  }

  async serve({
    threads = 2,
    transactionsPerSecond = 0,
    databases = '*',
    secondProcess = false,
    paused = false,
    seed = 1,
  } = {}) {
    const server = await Server.start([
      'serve',
      '--ini',
      this.notesIni,
      '--log',
      this.logDirectory,
      '--threads',
      String(threads),
      '--rate',
      String(transactionsPerSecond),
      '--databases',
      databases,
      '--seed',
      String(seed),
      '--stop-with-stdin',
      ...(secondProcess ? ['--second-process'] : []),
      ...(paused ? ['--paused'] : []),
    ]);
    this.#servers.add(server);
    return server;
  }

  async verify(files, { betweenNs, sequence } = {}) {
    if (files.length === 0) return [];
    await fs.promises.mkdir(this.logDirectory, { recursive: true });
    const args = ['verify', '--json', '--log', this.logDirectory, '--files-from', '-'];
    if (betweenNs !== undefined) args.push('--between', betweenNs.map(String).join(':'));
    if (sequence !== undefined) args.push('--sequence', String(sequence));
    const output = await runTool(args, { input: `${files.join('\n')}\n`, exitCodes: [0, 1] });
    return output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  async destroy() {
    await Promise.all([...this.#servers].map((server) => server.kill()));
    await runTool(['destroy', '--data', this.dataDirectory]);
    await fs.promises.rm(this.#directory, { recursive: true, force: true });
  }
}

async function createSimulation({
  directory,
  databases,
  pages = [4, 64],
  seed = 1,
  log = 'circular',
  unloggedShare = 0.2,
  links = false,
  plainNames = false,
  settings = {},
}) {
  if (!isBuilt()) {
    throw new Error(
      'the simulator is not built: npx domino-vss-simulator build, with cmake, make and g++ (for Windows as in its README)',
    );
  }
  const home = path.resolve(directory);
  await fs.promises.mkdir(home, { recursive: true });
  const allSettings = { ...(process.getuid?.() === 0 ? { SIM_ALLOW_ROOT: 1 } : {}), ...settings };
  const output = await runTool([
    'create',
    '--data',
    path.join(home, 'data'),
    '--program',
    programDirectory,
    '--databases',
    String(databases),
    '--pages',
    pages.join(':'),
    '--seed',
    String(seed),
    '--log',
    log,
    '--unlogged-share',
    String(unloggedShare),
    ...(links ? ['--links'] : []),
    ...(plainNames ? ['--plain-names'] : []),
    ...assignments(allSettings).flatMap((assignment) => ['--set', assignment]),
  ]);
  return new Simulation({ directory: home, created: JSON.parse(output) });
}

module.exports = { createSimulation, isBuilt, programDirectory };
