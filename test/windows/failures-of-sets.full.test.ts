// The rest of failures.full.test.ts: failures in sets of hardware providers, in a revert, and in a restore with writers.

import { hardwareRows, restoreRows, revertRows } from './failure-rows';
import { testFailures } from './failure-sweep';

testFailures([...hardwareRows, ...revertRows, ...restoreRows]);
