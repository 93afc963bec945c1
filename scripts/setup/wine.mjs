import { existsSync, mkdirSync, openSync, closeSync, rmSync, symlinkSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { findWine } from './tools.mjs';

/** The drive letter under which programs in Wine see the checkout. */
const checkoutDrive = 'n';

/**
 * A Wine prefix of its own: a Windows 10 whose drive `C:` is empty and whose drive `N:` is the checkout. There is no
 * drive for the whole file system unless it is asked for (`rootDrive`: Z:), for Node.js would resolve paths to that one.
 */
export class WinePrefix {
  #wine = findWine();
  #rootDrive;
  #preload = {};

  constructor(directory, checkout, { rootDrive = false } = {}) {
    this.directory = directory;
    this.checkout = checkout;
    this.#rootDrive = rootDrive;
  }

  /** The Unix directory of the drive `C:`. */
  get systemDrive() {
    return join(this.directory, 'drive_c');
  }

  /** Has a library of Unix loaded into everything of Wine that starts from now on. */
  preload(library) {
    this.#preload = { LD_PRELOAD: library };
  }

  /** The path in Wine of a file of the checkout. */
  pathOf(file) {
    return `${checkoutDrive.toUpperCase()}:\\${file.replaceAll('/', '\\')}`;
  }

  /** Makes the prefix unless it is there. */
  async ensure() {
    const ready = join(this.directory, 'dosdevices', `${checkoutDrive}:`);
    if (existsSync(ready)) return;
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory, { recursive: true });
    await this.#runSystemProgram('wineboot', ['-i']);
    await this.#runSystemProgram('winecfg', ['/v', 'win10']);
    await this.end();
    if (!this.#rootDrive) rmSync(join(this.directory, 'dosdevices', 'z:'), { force: true });
    symlinkSync(this.checkout, ready);
  }

  /**
   * Runs a program of the prefix to its end and answers its exit code. Its output goes to files: in Wine 8 Node.js cannot
   * write to a pipe of Unix. After the time it is killed, and null is answered.
   */
  run(program, args, { env = {}, stdout, stderr, timeoutMs }) {
    const [out, err] = [openSync(stdout, 'w'), openSync(stderr, 'w')];
    return new Promise((resolve, reject) => {
      const child = spawn(join(this.#wine, 'wine64'), [program, ...args], {
        cwd: this.checkout,
        stdio: ['ignore', out, err],
        env: { ...this.#environment(), ...env },
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
      });
      child.once('error', reject);
      child.once('close', (code) => resolve(code));
    }).finally(() => {
      closeSync(out);
      closeSync(err);
    });
  }

  /** Ends everything that still runs in the prefix. */
  async end() {
    await new Promise((resolve) => {
      spawn(join(this.#wine, 'wineserver'), ['-k'], {
        stdio: 'ignore',
        env: this.#environment(),
      }).once('close', resolve);
    });
  }

  /** Without what is meant for the Node.js that starts it: paths of Unix, of certificates for example. */
  #environment() {
    const own = Object.entries(process.env).filter(([name]) => !/^(NODE_|npm_)/i.test(name));
    return { ...Object.fromEntries(own), WINEPREFIX: this.directory, WINEDEBUG: '-all', ...this.#preload };
  }

  async #runSystemProgram(program, args) {
    const log = join(this.directory, `${program}.log`);
    // Without these two Wine would ask to download them, in a window.
    const env = { WINEDLLOVERRIDES: 'mscoree,mshtml=' };
    const code = await this.run(program, args, { env, stdout: log, stderr: `${log}.err`, timeoutMs: 300_000 });
    if (code !== 0) throw new Error(`${program} ended with ${code}, see ${log}`);
  }
}
