import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../setup.mjs';
import { fetchNode, nodeVersions } from '../setup/nodes.mjs';
import { WinePrefix } from '../setup/wine.mjs';

/** Tells the story in Windows Node.js, with the stand-ins for Domino and for VSS, and answers its exit code. */
export async function tellUnderWine(databases) {
  const workshop = join(root, 'build', 'windows');
  const [version] = nodeVersions('win32').values();
  const node = await fetchNode('win32', version, join(workshop, 'node'));
  // Not the prefix of the tests, which may be running.
  const prefix = new WinePrefix(join(workshop, 'demo'), root);
  await prefix.ensure();
  mkdirSync(join(prefix.systemDrive, 'node'), { recursive: true });
  copyFileSync(node, join(prefix.systemDrive, 'node', 'node.exe'));
  const { installVss } = createRequire(import.meta.url)('../../simulator/vss');
  const library = join(root, 'simulator', 'build', 'win32-x64', 'vss', 'vssapi.dll');
  const vss = installVss({ prefix: prefix.directory, library });
  vss.reset();
  mkdirSync(join(prefix.systemDrive, 'srv'), { recursive: true });

  const output = join(workshop, 'demo.out');
  writeFileSync(output, '');
  try {
    const told = prefix.run(
      'C:\\node\\node.exe',
      [prefix.pathOf('scripts/demo/story.mjs'), String(databases), 'C:\\srv'],
      {
        stdout: output,
        stderr: join(workshop, 'demo.err'),
        timeoutMs: 600_000,
        env: {
          ...vss.environment,
          // Node.js asks for a Windows version that Wine does not report to it; build/Release holds the addon for Linux.
          NODE_SKIP_PLATFORM_CHECK: '1',
          PREBUILDS_ONLY: '1',
        },
      },
    );
    const code = await follow(output, told);
    if (code !== 0) process.stderr.write(readFileSync(join(workshop, 'demo.err'), 'utf8'));
    return code ?? 1;
  } finally {
    await prefix.end();
    rmSync(join(prefix.systemDrive, 'srv'), { recursive: true, force: true });
  }
}

/** Shows what is written to a file meanwhile: a program in Wine 8 cannot write to a pipe of Unix. */
async function follow(file, ended) {
  let shown = 0;
  let code;
  let running = true;
  void ended.then(
    (answer) => {
      code = answer;
      running = false;
    },
    () => (running = false),
  );
  for (;;) {
    const last = !running;
    const text = readFileSync(file, 'utf8');
    process.stdout.write(text.slice(shown));
    shown = text.length;
    if (last) break;
    await sleep(100);
  }
  await ended;
  return code;
}
