// What importing the package costs: a new process that requires it, beside one that does nothing, in turn.
//
//   node build/bench/import.js [processes] [directory of another package …]
//
// Other packages, such as an older version of this one, are measured in the same turns.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '#lib/native/package-root';
import { median } from './engine';

const processes = Number(process.argv[2] ?? 15);
const packages = [packageRoot, ...process.argv.slice(3)];

interface Start {
  readonly cpuMs: number;
  readonly modules: number;
}

/** A process of Node.js that runs a script. `cpuUsage()` counts from the start of the process, with all its threads. */
function start(script: string): Start {
  const report = `const { user, system } = process.cpuUsage();
    process.stdout.write(JSON.stringify({ cpuMs: (user + system) / 1000, modules: Object.keys(require.cache).length }))`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', `${script};${report}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Start;
}

function main(): void {
  const scripts = [
    '',
    ...packages.map((directory) => `require(${JSON.stringify(join(directory, 'dist', 'index.js'))})`),
  ];
  const starts: Start[][] = scripts.map(() => []);
  for (let turn = 0; turn < processes; ++turn) scripts.forEach((script, index) => starts[index]!.push(start(script)));

  const [bare = []] = starts;
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const figure = (values: readonly number[], digits: number): string => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return `${median([...values]).toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
  };
  say(
    `Node.js ${process.version} alone: ${figure(
      bare.map(({ cpuMs }) => cpuMs),
      0,
    )} ms of processor time`,
  );
  packages.forEach((directory, index) => {
    const own = starts[index + 1] ?? [];
    say(directory);
    say(`  modules                        ${own[0]?.modules}`);
    say(
      `  added processor time, ms       ${figure(
        own.map(({ cpuMs }, turn) => cpuMs - bare[turn]!.cpuMs),
        0,
      )}`,
    );
    say(
      `  whole process ÷ Node.js alone  ${figure(
        own.map(({ cpuMs }, turn) => cpuMs / bare[turn]!.cpuMs),
        2,
      )}`,
    );
  });
}

main();
