import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const notSources = new Set(['node_modules', 'build', 'dist', 'coverage', '.git']);

/** All files at or below `path`, sorted; results of builds are left out. A path that does not exist has no files. */
export function filesBelow(path) {
  if (!existsSync(path)) return [];
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => !notSources.has(entry.name) && !entry.name.startsWith('build-'))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(path, entry.name)) : [join(path, entry.name)]));
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path];
    throw error;
  }
}

/** A hash over names and contents of files, and over further facts a result depends on. */
export function contentHash(root, files, facts = []) {
  const hash = createHash('sha256');
  for (const fact of facts) hash.update(`${fact}\0`);
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** Remembers in a file which inputs a result was made from. */
export class Stamp {
  constructor(file, hash) {
    this.file = file;
    this.hash = hash;
  }

  matches() {
    return existsSync(this.file) && readFileSync(this.file, 'utf8') === this.hash;
  }

  remove() {
    rmSync(this.file, { force: true });
  }

  write() {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, this.hash);
  }
}
