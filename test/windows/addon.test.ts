// The addon as installed: from the tarball that `npm pack` makes, in node.exe, in threads, and in a program with
// another name, as tools that build executables make them.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningProcess } from '../integration/command-line';

/** The runner has unpacked the tarball there. Dependencies are found in the repository above it. */
const installed = join(__dirname, '..', '..', 'windows', 'package', 'node_modules', 'domino-vss');
const addon = join(installed, 'prebuilds', 'win32-x64', 'domino-vss.node');

/** What the programs below print. */
interface Loaded {
  readonly thread: string;
  readonly native: boolean;
  readonly provider: string;
  readonly modules: readonly string[];
}

const load = `
  const { isMainThread, parentPort, threadId } = require('node:worker_threads');
  const { getCapabilities, listProviders } = require(${JSON.stringify(installed)});
  async function load() {
    const { native } = await getCapabilities();
    const [{ name }] = await listProviders();
    const modules = process.report.getReport().sharedObjects.filter((file) => file.endsWith('domino-vss.node'));
    return { thread: isMainThread ? 'main' : 'worker', native, provider: name, modules };
  }
`;
const inMain = `${load} load().then((loaded) => console.log(JSON.stringify(loaded)));`;
const inWorker = `${load} load().then((loaded) => parentPort.postMessage(loaded));`;
const inWorkers = `
  const { once } = require('node:events');
  const { Worker } = require('node:worker_threads');
  async function main() {
    for (let i = 0; i < 2; ++i) {
      const worker = new Worker(${JSON.stringify(inWorker)}, { eval: true });
      const [loaded] = await once(worker, 'message');
      await worker.terminate();
      console.log(JSON.stringify(loaded));
    }
  }
  main();
`;

let directory: string;

beforeAll(() => {
  directory = mkdtempSync('C:\\addon-test-');
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function run(script: string, executable = process.execPath): Promise<Loaded[]> {
  const file = join(mkdtempSync(join(directory, 'run-')), 'program.js');
  writeFileSync(file, script);
  return runFile(file, executable);
}

async function runFile(file: string, executable = process.execPath): Promise<Loaded[]> {
  // Without PREBUILDS_ONLY, which is not set where the package is installed.
  const env = { ...process.env };
  delete env['PREBUILDS_ONLY'];
  const { code, stdout, stderr } = await new RunningProcess(executable, [file], { env }).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.split(/\r?\n/).filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Loaded);
}

const loadedIn = (thread: string): unknown => ({
  thread,
  native: true,
  provider: expect.stringContaining('Software Shadow Copy'),
  modules: [expect.stringMatching(/\\domino-vss\.node$/)],
});

test('the tarball brings the prebuilt binary for Windows and no build directory', () => {
  expect(readdirSync(join(installed, 'prebuilds'))).toContain('win32-x64');
  expect(readdirSync(join(installed, 'prebuilds', 'win32-x64'))).toEqual(['domino-vss.node']);
  expect(readdirSync(installed)).not.toContain('build');
});

test('it loads in the main thread, from the installed package', async () => {
  const loaded = await run(inMain);
  expect(loaded).toEqual([loadedIn('main')]);
  expect(loaded[0]?.modules[0]?.toLowerCase()).toBe(addon.toLowerCase());
});

test.each([
  ['CommonJS', 'load.cjs', "const { getCapabilities } = require('domino-vss');"],
  ['ESM', 'load.mjs', "import { getCapabilities } from 'domino-vss';"],
])('a project that has it installed loads it by its name from %s', async (_, name, head) => {
  const project = join(installed, '..', '..');
  // Otherwise the name would mean the checkout above it.
  writeFileSync(join(project, 'package.json'), '{}');
  const file = join(project, name);
  const print = `console.log(JSON.stringify({ native, modules: process.report.getReport().sharedObjects }));`;
  writeFileSync(file, `${head}\ngetCapabilities().then(({ native }) => { ${print} });`);
  const [loaded] = await runFile(file);
  expect(loaded?.native).toBe(true);
  expect(loaded?.modules.map((module) => module.toLowerCase())).toContain(addon.toLowerCase());
});

test('it loads in worker threads, one after the other', async () => {
  expect(await run(inWorkers)).toEqual([loadedIn('worker'), loadedIn('worker')]);
});

test('it loads in an executable that is not called node.exe, in both kinds of thread', async () => {
  // The addon imports the functions of Node.js from "node.exe"; its own hook finds them in the running program.
  const programs = join(directory, 'Program Files Ü');
  mkdirSync(programs);
  const server = join(programs, 'server.exe');
  cpSync(process.execPath, server);
  expect(await run(inMain, server)).toEqual([loadedIn('main')]);
  expect(await run(inWorkers, server)).toEqual([loadedIn('worker'), loadedIn('worker')]);
});
