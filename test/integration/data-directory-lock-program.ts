import { loadBinding } from '#lib/native/binding';

// Takes the lock on a directory, reports it, and holds the lock until it is killed.

async function main(directory: string): Promise<void> {
  const lock = await loadBinding().lockDirectory(directory);
  process.send?.(lock ? 'locked' : 'refused');
  setInterval(() => lock?.release === undefined, 60_000);
}

void main(process.argv[2] ?? '');
