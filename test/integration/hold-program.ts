// Begins a hold and ends: the caller of `domino-vss hold`.

import { startHold, type HoldOptions } from '#lib/index';

startHold(JSON.parse(process.argv[2] ?? '{}') as HoldOptions).then(
  () => {
    process.exitCode = 0;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
