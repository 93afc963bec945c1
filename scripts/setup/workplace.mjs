import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const sharedMemory = process.env.DOMINO_VSS_TEST_MEMORY ?? '/dev/shm';

/** The places of a test run's temporary files, which all go with it, also when the tests could not clean up themselves. */
export class Workplace {
  /** Takes the place of the directory for temporary files. */
  directory = makeDirectory(tmpdir());
  /** In memory, for what a disk that others keep busy would disturb; undefined where there is no such place. */
  memory = existsSync(sharedMemory) ? makeDirectory(sharedMemory) : undefined;
  #simulator;

  /** `simulator` is the program of the simulated servers. */
  constructor(simulator) {
    this.#simulator = simulator;
  }

  get environment() {
    return { TMPDIR: this.directory, ...(this.memory && { DOMINO_VSS_TEST_MEMORY: this.memory }) };
  }

  /** With the memory that simulated servers have shared with their clients, and with the file systems that are mounted there. */
  remove() {
    for (const place of [this.directory, this.memory].filter(Boolean)) {
      for (const data of dataDirectoriesBelow(place)) execFileSync(this.#simulator, ['destroy', '--data', data]);
      // At once: a program that is just ending may still have a file open.
      for (const mountPoint of mountPointsBelow(place)) execFileSync('umount', ['--lazy', mountPoint]);
      rmSync(place, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    }
  }
}

/** Some tests run programs as another user, who has to get there. */
function makeDirectory(parent) {
  const directory = mkdtempSync(join(parent, 'domino-vss-test-'));
  chmodSync(directory, 0o755);
  return directory;
}

/** The innermost first. */
function mountPointsBelow(place) {
  if (process.platform !== 'linux') return [];
  const mountPoints = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  return mountPoints.filter((path) => path.startsWith(`${place}/`)).reverse();
}

function dataDirectoriesBelow(place) {
  if (process.platform !== 'linux') return [];
  const files = readdirSync(place, { recursive: true, withFileTypes: true });
  return files.filter(({ name }) => name === 'notes.ini').map(({ parentPath, path }) => parentPath ?? path);
}
