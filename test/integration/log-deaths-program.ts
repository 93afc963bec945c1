// Archives or prunes, says when it has begun its work, and may be killed at any moment of it.
//
//   node log-deaths-program.js archive|prune      with its options as JSON in TEST_OPTIONS

import { archiveLogs, isDominoVssError, pruneLogs, type ArchiveLogsOptions, type PruneLogsOptions } from '#lib/index';

async function run(): Promise<unknown> {
  const options = JSON.parse(process.env['TEST_OPTIONS'] ?? '') as ArchiveLogsOptions & PruneLogsOptions;
  process.stdout.write('begun\n');
  return process.argv[2] === 'prune' ? pruneLogs(options) : archiveLogs(options);
}

run().then(
  (report) => process.stdout.write(JSON.stringify(report)),
  (error: unknown) => {
    process.stdout.write(isDominoVssError(error) ? JSON.stringify(error) : String(error));
    process.exitCode = 1;
  },
);
