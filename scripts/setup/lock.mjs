import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { interrupted } from './interrupt.mjs';

/**
 * Runs `action` while no other process does so for the same directory; waits for the other one first.
 *
 * The lock is a listening socket without a file (Linux: abstract name, Windows: named pipe), so that the system
 * releases it however its owner ends.
 */
export async function withLock(directory, onWait, action) {
  const name = `domino-vss-setup-${createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 16)}`;
  const address = process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : `\0${name}`;
  let server = await tryListen(address);
  if (server === undefined) onWait();
  while (server === undefined) {
    await sleep(200);
    if (interrupted()) throw new Error('interrupted');
    server = await tryListen(address);
  }
  try {
    return await action();
  } finally {
    server.close();
  }
}

function tryListen(address) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(server));
  });
}
