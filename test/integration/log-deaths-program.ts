// Archives, restores or prunes, and reports when it begins its work; may be killed at any moment.
//
//   node log-deaths-program.js archive|restore|prune      with its options as JSON in TEST_OPTIONS

import {
  archiveLogs,
  isDominoVssError,
  pruneLogs,
  restoreDatabases,
  type ArchiveLogsOptions,
  type PruneLogsOptions,
  type RestoreOptions,
} from '#lib/index';

async function run(): Promise<unknown> {
  const options = JSON.parse(process.env['TEST_OPTIONS'] ?? '') as ArchiveLogsOptions &
    PruneLogsOptions &
    RestoreOptions;
  process.stdout.write('begun\n');
  if (process.argv[2] === 'restore') return restoreDatabases(options);
  return process.argv[2] === 'prune' ? pruneLogs(options) : archiveLogs(options);
}

run().then(
  (report) => process.stdout.write(JSON.stringify(report)),
  (error: unknown) => {
    process.stdout.write(isDominoVssError(error) ? JSON.stringify(error) : String(error));
    process.exitCode = 1;
  },
);
