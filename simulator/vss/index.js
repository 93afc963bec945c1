'use strict';

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const stateInPrefix = ['ProgramData', 'domino-vss-simulator'];

function unixPath(prefix, windowsPath) {
  const match = /^([a-z]):[\\/]?(.*)$/i.exec(windowsPath);
  if (!match) throw new Error(`not a path with a drive letter: ${windowsPath}`);
  const [, letter, rest] = match;
  const parts = rest.split(/[\\/]/).filter((part) => part !== '');
  return path.join(prefix, 'dosdevices', `${letter.toLowerCase()}:`, ...parts);
}

/** Parses `name=value` pairs, separated by `separator`. */
function parsePairs(text, separator) {
  const pairs = text
    .split(separator)
    .filter((part) => part.includes('='))
    .map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]);
  return Object.fromEntries(pairs);
}

function numbers(pairs) {
  return Object.fromEntries(Object.entries(pairs).map(([name, value]) => [name, Number(value)]));
}

function readText(file) {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
}

class Vss {
  constructor(prefix, guard) {
    this.prefix = prefix;
    this.guard = guard;
    this.settingsFile = path.join(prefix, 'drive_c', ...stateInPrefix, 'vss.ini');
    this.stateDirectory = path.join(prefix, 'drive_c', ...stateInPrefix, 'state');
  }

  get environment() {
    return { WINEPREFIX: this.prefix, WINEDLLOVERRIDES: 'vssapi=n', WINEDEBUG: '-all', LD_PRELOAD: this.guard };
  }

  configure(settings) {
    const lines = Object.entries(settings).map(([name, value]) => {
      const text = typeof value === 'boolean' ? Number(value) : Array.isArray(value) ? value.join(',') : value;
      return `${name}=${text}\n`;
    });
    fs.writeFileSync(this.settingsFile, lines.join(''));
  }

  shadows() {
    const directory = path.join(this.stateDirectory, 'shadows');
    if (!fs.existsSync(directory)) return [];
    return fs
      .readdirSync(directory)
      .filter((name) => name.endsWith('.shadow'))
      .map((name) => parsePairs(readText(path.join(directory, name)), '\n'))
      .filter((record) => record.created !== '0')
      .map((record) => {
        return {
          id: record.id,
          setId: record.setId,
          volume: record.volume,
          attributes: Number(record.attributes),
          persistent: (Number(record.attributes) & 1) !== 0,
          exposedName: record.exposedName,
          contents: path.join(this.prefix, 'dosdevices/globalroot/Device', `HarddiskVolumeShadowCopy${record.device}`),
        };
      });
  }

  devices() {
    return fs.readdirSync(path.join(this.prefix, 'dosdevices/globalroot/Device')).sort();
  }

  reports() {
    const lines = readText(path.join(this.stateDirectory, 'report.log')).split('\n');
    return lines.filter((line) => line !== '').map((line) => numbers(parsePairs(line, ' ')));
  }

  calls() {
    const lines = readText(path.join(this.stateDirectory, 'calls.log')).split('\n');
    return lines
      .filter((line) => line !== '')
      .map((line) => {
        const { pid, tid, at, ms, method, result } = parsePairs(line, ' ');
        const times = { startedAtMs: Number(at), durationMs: Number(ms) };
        return { pid: Number(pid), tid: Number(tid), ...times, method, result: Number(result) };
      })
      .sort((a, b) => a.startedAtMs - b.startedAtMs);
  }

  unixPath(windowsPath) {
    return unixPath(this.prefix, windowsPath);
  }

  addDrive(letter, directory) {
    fs.mkdirSync(directory, { recursive: true });
    const link = path.join(this.prefix, 'dosdevices', `${letter.toLowerCase()}:`);
    fs.rmSync(link, { force: true });
    fs.symlinkSync(path.resolve(directory), link);
  }

  reset() {
    fs.rmSync(this.stateDirectory, { recursive: true, force: true });
    const devices = path.join(this.prefix, 'dosdevices/globalroot/Device');
    fs.rmSync(devices, { recursive: true, force: true });
    fs.mkdirSync(devices, { recursive: true });
    this.configure({});
  }
}

/** Installs the DLL in place of the system's own, with everything it needs in the prefix. */
function installVss({ prefix, library }) {
  const guard = path.join(path.dirname(path.resolve(library)), 'shadow_guard.so');
  if (!fs.existsSync(guard)) throw new Error(`missing beside the library: ${guard}`);
  const vss = new Vss(path.resolve(prefix), guard);
  const system32 = path.join(vss.prefix, 'drive_c', 'windows', 'system32');
  if (!fs.existsSync(system32)) throw new Error(`no Wine prefix: ${prefix}`);
  fs.mkdirSync(path.join(vss.prefix, 'dosdevices', 'globalroot', 'Device'), { recursive: true });
  fs.mkdirSync(path.dirname(vss.settingsFile), { recursive: true });
  const target = path.join(system32, 'vssapi.dll');
  fs.rmSync(target, { force: true }); // it may be a link to Wine's own
  fs.copyFileSync(library, target);
  return vss;
}

/** Wine can redirect the output of a program only to files; stdin is empty. */
async function runUnderWine({ wine, vss, program, args = [], environment = {}, timeoutMs = 60_000 }) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'vss-run-'));
  const files = ['stdout', 'stderr'].map((name) => path.join(directory, name));
  const [stdout, stderr] = files.map((file) => fs.openSync(file, 'w'));
  try {
    const child = spawn(wine, [program, ...args], {
      stdio: ['ignore', stdout, stderr],
      env: { ...process.env, ...vss.environment, ...environment },
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const [code, signal] = await once(child, 'close');
    clearTimeout(timer);
    return { code, signal, stdout: readText(files[0]), stderr: readText(files[1]) };
  } finally {
    fs.closeSync(stdout);
    fs.closeSync(stderr);
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

module.exports = { installVss, runUnderWine };
