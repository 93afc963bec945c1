// The examples of the documentation that need VSS and Domino on one machine: the commands line by line, the programs as they are.
// test/development/not-run.ts lists them.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import ts from 'typescript';
import { packageRoot } from '#lib/native/package-root';
import { examples, type Example } from '../development/examples';
import { notRun } from '../development/not-run';
import { SimulatedDomino } from '../integration/simulated-domino';
import { Machine, type VssSettings } from './machine';

const main = join(packageRoot, 'dist', 'cli', 'main.js');
/** Inside the package, so that its name is found there. */
const programs = join(packageRoot, 'build', 'windows', 'examples');
const deltaDirectory = 'E:\\delta';
const machine = new Machine();
const [cwd] = machine.homes;
let domino: SimulatedDomino;
let server: Server | undefined;
/** The example that is tried. */
let current = '';

const withVss = examples().filter(({ name }) => {
  const what = notRun[name];
  return what?.is === 'run elsewhere' && what.by === 'test/windows/examples.full.test.ts';
});

const kept = 'domino-vss backup run --delta-dir E:\\delta --keep';
/** What a reader of the page has done before. */
const before: Readonly<Record<string, readonly string[]>> = {
  'docs/api.md#shadow-administration': [kept],
  'docs/command-line.md#domino-vss-shadow-list': [kept],
  'docs/command-line.md#domino-vss-shadow-expose': [kept],
  'docs/command-line.md#domino-vss-shadow-unexpose': [
    kept,
    'domino-vss shadow expose {3f2a6c1e-0000-4000-8000-000000000001} B:',
  ],
  'docs/command-line.md#domino-vss-shadow-delete': [kept],
  'docs/command-line.md#domino-vss-shadow-break': [kept],
  'docs/command-line.md#domino-vss-shadow-revert': [kept],
};
/** What does not end by itself, by the text that says that it works. */
const endless: Readonly<Record<string, RegExp>> = {
  'docs/api.md#vss-writer': /serving/,
  'docs/command-line.md#domino-vss-writer-serve': /serv/i,
};
/** The machine that an example is for: only a hardware provider breaks sets. */
const settings: Readonly<Record<string, VssSettings>> = {
  'docs/command-line.md#domino-vss-shadow-break': { hardware_provider: 1 },
};
/** What only an administrator does who has stopped the server. */
const withoutServer = ['docs/command-line.md#domino-vss-shadow-revert'];

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 12, pages: [4, 60] }, machine.homes[1]);
  server = await domino.serve({ threads: 1, transactionsPerSecond: 100 });
  mkdirSync(programs, { recursive: true });
  mkdirSync(cwd, { recursive: true });
  const lines = ['set context persistent', 'begin backup', 'add volume d: alias data', 'create', 'end backup', ''];
  for (const name of ['backup_start.txt', 'commands.txt']) writeFileSync(join(cwd, name), lines.join('\r\n'));
}, 300_000);

afterAll(async () => {
  await server?.stop();
  await domino[Symbol.asyncDispose]();
  machine[Symbol.dispose]();
  rmSync(programs, { recursive: true, force: true });
}, 300_000);

beforeEach(() => {
  for (const directory of [deltaDirectory, 'D:\\Backup']) rmSync(directory, { recursive: true, force: true });
});

afterEach(async () => {
  for (const place of ['B:', 'Q:']) if (existsSync(`${place}\\`)) await succeed(['shadow', 'unexpose', place]);
  if (machine.shadows().length > 0) await succeed(['shadow', 'delete', '--all', '--foreign']);
  expect((await domino.simulation.stats()).inBackup).toEqual([]);
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

interface Started {
  readonly stdin?: string;
  /** Then it is ended. */
  readonly until?: RegExp;
}

function run(args: readonly string[], { stdin = '', until }: Started = {}): Promise<Ended> {
  const { notesIni, programDirectory } = domino.simulation;
  const env = {
    ...process.env,
    ...machine.environment(settings[current]),
    Notes_ExecDirectory: programDirectory,
    NOTES_INI: notesIni,
  };
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(stdin);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (until?.test(output)) child.kill();
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => {
      resolve({ code, output });
    });
  });
}

/** What does not end by itself has no exit code of its own. */
function expectWorked(what: string, { code, output }: Ended, until: RegExp | undefined): void {
  if (until === undefined ? code === 0 : until.test(output)) return;
  throw new Error(`${what} ended with ${code}: ${output}`);
}

async function succeed(args: readonly string[], started?: Started): Promise<void> {
  const ended = await run([main, ...args], started);
  expectWorked(args.join(' '), ended, started?.until);
}

/** A line of a page, for either shell: without comments, and with ids of what there is here. */
async function command(line: string, until?: RegExp): Promise<void> {
  const [text = ''] = line.split(/ +#/, 1);
  const [, file, piped] = /^type (\S+) \| (.*)$/.exec(text) ?? [];
  const [program, ...args] = (await withIds(piped ?? text)).split(' ');
  expect({ line, program }).toEqual({ line, program: 'domino-vss' });
  const stdin = file === undefined ? '' : readFileSync(join(cwd, file), 'utf8');
  await succeed(args, { stdin, ...(until && { until }) });
}

/** The ids on the pages stand for the last shadow of D: and its set. */
async function withIds(line: string): Promise<string> {
  if (!line.includes('{')) return line;
  const { output } = await run([main, 'shadow', 'list', '--volume', 'D:', '--json']);
  const { id, setId } = (JSON.parse(output) as { readonly id: string; readonly setId: string }[]).at(-1)!;
  return line.replace(/\{3f2a6c1e-[-0-9a-f]+\}/, id).replace(/\{9c410000-[-0-9a-f]+\}/, setId);
}

async function runProgram({ name, text }: Example): Promise<void> {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const file = join(programs, `${name.replace(/[^\w]+/g, '-')}.mjs`);
  writeFileSync(file, outputText);
  const until = endless[name];
  expectWorked(name, await run([file], { ...(until && { until }) }), until);
}

test.each(withVss.map((example) => [example.name, example] as const))(
  '%s',
  async (name, example) => {
    current = name;
    if (withoutServer.includes(name)) {
      await server?.stop();
      server = undefined;
    }
    for (const line of before[name] ?? []) await command(line);
    if (example.language === 'ts') await runProgram(example);
    else for (const line of example.text.trim().split('\n')) await command(line, endless[name]);
  },
  300_000,
);
