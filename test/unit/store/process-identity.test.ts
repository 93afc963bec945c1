import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isRunning, ownIdentity } from '#lib/store/process-identity';
import { linuxTest } from '../../platform';

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
    const state = (): string => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0] ?? '';
    while (state() !== 'Z') await new Promise((resolve) => setTimeout(resolve, 5));
    expect(isRunning(pid, 'unknown')).toBe(false);
  } finally {
    parent.kill();
  }
});
