import { readdir, readlink } from 'node:fs/promises';

/**
 * Which of these files are open in a process of this machine, and in which one. Covers only processes that this user may inspect:
 * its own, or all for root. Linux only; empty on other systems.
 */
export async function findOpenFiles(files: readonly string[]): Promise<Map<string, number>> {
  const open = new Map<string, number>();
  if (process.platform !== 'linux') return open;
  const wanted = new Set(files);
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // At each of these steps, the process may have ended or may belong to another user.
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const file = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (wanted.has(file)) open.set(file, Number(pid));
    }
  }
  return open;
}
