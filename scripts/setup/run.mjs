import { spawn } from 'node:child_process';
import { noteEnd } from './interrupt.mjs';

/** A command that could not be started or did not succeed; `output` is what was collected of its streams. */
export class CommandError extends Error {
  constructor(command, reason, output) {
    super(`${command}: ${reason}`);
    this.output = output;
  }
}

/** Runs a command to its end and returns its output; `show` passes the output through instead. */
export function run(command, args, { cwd, env, shell = false, show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      shell,
      env: { ...process.env, ...env },
      stdio: show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => (output += text));
    const fail = (reason) => reject(new CommandError([command, ...args].join(' '), reason, output));
    child.once('error', (error) => fail(error.message));
    child.once('close', (code, signal) => {
      noteEnd(signal);
      if (code === 0) resolve(output);
      else fail(signal ? `ended by ${signal}` : `exit code ${code}`);
    });
  });
}
