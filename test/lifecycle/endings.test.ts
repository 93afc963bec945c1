// How processes end in this version of Node.js, and how another process recovers from that.

import type { ChildProcess } from 'node:child_process';
import { beginBackup } from '#lib/index';
import { countCrash, describeEndings, domino, start } from './endings';

describeEndings([process.execPath]);

test('what a killed process has left is put right by the next backup', async () => {
  const { signal } = await start('begun', 'hang', { onReached: (child) => child.kill('SIGKILL') });
  expect(signal).toBe('SIGKILL');
  const backup = await beginBackup({
    domino: domino.location,
    deltaDirectory: domino.deltaDirectory,
    shadowDirectory: domino.shadowDirectory,
    provider: 'rolling',
  });
  expect(backup.recovered).toMatchObject([{ done: true }]);
  expect(backup.leftOvers).toEqual([]);
  await backup.dispose();
  const { accounting } = await domino.simulation.stats();
  expect(accounting.crashedParticipants).toBe(countCrash());
});

test('a second process is told that the data directory is locked', async () => {
  let locked: unknown;
  let attempt: Promise<void> | undefined;
  const onReached = (child: ChildProcess): void => {
    attempt = beginBackup({ domino: domino.location, deltaDirectory: domino.deltaDirectory })
      .catch((error: unknown) => (locked = error))
      .then(() => {
        child.kill('SIGKILL');
      });
  };
  const { signal, stderr } = await start('begun', 'hang', { onReached });
  await attempt;
  expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
  expect(locked).toMatchObject({ code: 'ERR_LOCKED', retryable: true });
});
