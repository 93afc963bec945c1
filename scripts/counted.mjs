import { spawn } from 'node:child_process';

/**
 * Runs a command with `env` as its whole environment, shows what it prints, and answers its exit code and what it wrote to its
 * standard output.
 */
export async function runShown(command, args, { cwd, env }) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    process.stdout.write(text);
  });
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  return { code: await ended, output };
}

/**
 * Runs a test command in the same way, and answers what its last line "N passed, N failed" says, and its lines that begin with
 * "FAIL".
 */
export async function runCounted(command, args, options) {
  const { code, output } = await runShown(command, args, options);
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  if (last === undefined) throw new Error(`${[command, ...args].join(' ')}: exit code ${code}, and no count of tests`);
  const [passed, failed] = last.slice(1).map(Number);
  const failures = output.split('\n').filter((line) => line.startsWith('FAIL'));
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed, failures };
}
