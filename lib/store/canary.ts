import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, ownIdentity } from './process-identity';

const pattern = /^domino-vss-canary-(\d+)-(\w*)-[0-9a-f]{8}\.nsf$/;

/**
 * Name of the database that `doctor --canary` creates in the data directory and deletes again. It is in no journal, because a
 * journal would lock the data directory: it says itself whose it is.
 */
export function newCanaryName(): string {
  const { pid, processStart } = ownIdentity();
  return `domino-vss-canary-${pid}-${processStart}-${randomBytes(4).toString('hex')}.nsf`;
}

/** Removes the databases of canaries whose process has died. What cannot be removed stays until the next time. */
export async function removeDeadCanaries(dataDirectory: string): Promise<void> {
  const names = await readdir(dataDirectory).catch(() => []);
  for (const name of names) {
    const [, pid, started = ''] = pattern.exec(name) ?? [];
    if (pid === undefined || isRunning(Number(pid), started)) continue;
    await rm(join(dataDirectory, name), { force: true }).catch(() => undefined);
  }
}
