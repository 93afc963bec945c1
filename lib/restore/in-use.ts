import { readdir, readlink } from 'node:fs/promises';

/**
 * Which of some files are open in a process of this machine, and in which one. Sees the processes that this user may
 * look into: those of the same user, or all for root. Linux only; empty elsewhere.
 */
export async function findOpenFiles(files: readonly string[]): Promise<Map<string, number>> {
  const open = new Map<string, number>();
  if (process.platform !== 'linux') return open;
  const wanted = new Set(files);
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // A process may end, or belong to somebody else, at any of these steps.
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const file = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (wanted.has(file)) open.set(file, Number(pid));
    }
  }
  return open;
}
