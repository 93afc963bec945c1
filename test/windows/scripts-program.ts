// Checks scripts without running them, as `domino-vss script --check` does.
//
//   node scripts-program.js <script …>

import { runScript } from '#lib/index';
import { answer } from './lines';

async function main(): Promise<void> {
  for (const file of process.argv.slice(2)) {
    const { exitCode } = await runScript({ script: { file }, check: true, env: { TEST_DIRECTORY: 'c:\\backup' } });
    answer({ file, exitCode });
  }
}

void main();
