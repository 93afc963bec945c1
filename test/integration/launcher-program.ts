// Does what `domino-vss` does when it has to start itself again, but with less patience.
//
//   node launcher-program.js <arguments of domino-vss>        with the place of the work as JSON in TEST_PLACE

import { relaunch } from '#lib/cli/relaunch';
import { isDominoVssError } from '#lib/index';
import type { Errand } from '#lib/cli/context';
import { mainScript } from './command-line';

process.argv[1] = mainScript;
relaunch(JSON.parse(process.env['TEST_PLACE'] ?? '') as Errand, { startMs: 3_000, graceMs: 1_000 }).then(
  (exitCode) => {
    process.exitCode = exitCode ?? 99;
  },
  (error: unknown) => {
    process.stdout.write(isDominoVssError(error) ? JSON.stringify(error) : String(error));
  },
);
