// After Ctrl-C, which the terminal sends to every foreground program, nothing is left of a demonstration or of tests.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryDirectory } from '../platform';

const scripts = join(__dirname, '../../../scripts');
let directory: string;
let memory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-interrupt-'));
  memory = mkdtempSync(join(memoryDirectory, 'domino-vss-interrupt-'));
});

afterEach(() => {
  for (const path of [directory, memory]) rmSync(path, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Starts a script in its own process group, as a shell does, and interrupts the group when `isTime` says so. */
async function interrupt(script: readonly string[], isTime: () => boolean): Promise<Ended> {
  const child: ChildProcess = spawn(process.execPath, script, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: directory, DOMINO_VSS_TEST_MEMORY: memory },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const waiting = setInterval(() => {
    if (!isTime()) return;
    clearInterval(waiting);
    process.kill(-child.pid!, 'SIGINT');
  }, 20);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  clearInterval(waiting);
  return { code, output };
}

/** The existing files; possibly none while they are changing. */
function files(path: string): string[] {
  try {
    return readdirSync(path, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}

test('of the demonstration in the middle of its backup', async () => {
  const { code, output } = await interrupt([join(scripts, 'demo', 'story.mjs'), '20', directory], () =>
    files(directory).some((file) => file.includes('.journal/')),
  );
  expect(output).toMatch(/interrupted: nothing is left of the simulated server and its backup\n$/);
  expect(output).not.toContain('story.mjs:');
  expect({ code, files: files(directory) }).toEqual({ code: 130, files: [] });
}, 60_000);

test('of tests, which cannot clean up themselves', async () => {
  const { code, output } = await interrupt([join(scripts, 'test.mjs'), 'integration/command-line'], () =>
    files(memory).some((file) => file.endsWith('.nsf')),
  );
  expect(output).toMatch(/^interrupted$/m);
  expect(output).not.toMatch(/\d+ passed, \d+ failed/);
  expect({ code, files: [...files(directory), ...files(memory)] }).toEqual({ code: 130, files: [] });
}, 120_000);
