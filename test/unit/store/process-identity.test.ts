import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, ownIdentity } from '#lib/store/process-identity';
import { linuxTest } from '../../platform';

const state = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0] ?? '';

test('this process is running, and was not started at another time', () => {
  const { pid, processStart } = ownIdentity();
  expect(isRunning(pid, processStart)).toBe(true);
  expect(isRunning(pid, `${processStart}0`)).toBe(false);
});

linuxTest('a process that has ended is not running, also when nobody has asked how it ended', async () => {
  // The shell becomes a program that does not wait for its children.
  const parent = spawn('sh', ['-c', '(sleep 0.3) & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [text] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(text.toString());
    while (state(pid) !== 'Z') await new Promise((resolve) => setTimeout(resolve, 5));
    expect(isRunning(pid, 'unknown')).toBe(false);
  } finally {
    parent.kill();
  }
});

linuxTest('a zombie with a thread that is still in a call is running', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'domino-vss-zombie-'));
  const program = join(directory, 'zombie');
  // As after SIGKILL with a thread in a call on a file system that does not answer: the first thread is gone, another is not.
  const source = `
    #include <pthread.h>
    #include <unistd.h>
    static void* wait_long(void* unused) { sleep(60); return unused; }
    int main(void) { pthread_t thread; pthread_create(&thread, 0, wait_long, 0); pthread_exit(0); }
  `;
  execFileSync('cc', ['-x', 'c', '-pthread', '-o', program, '-'], { input: source });
  const zombie = spawn(program);
  try {
    const pid = zombie.pid ?? 0;
    while (state(pid) !== 'Z') await new Promise((resolve) => setTimeout(resolve, 5));
    const started = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19] ?? '';
    expect(isRunning(pid, started)).toBe(true);
  } finally {
    zombie.kill('SIGKILL');
    await once(zombie, 'exit');
    rmSync(directory, { recursive: true });
  }
});
