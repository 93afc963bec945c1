// The rest of failures.full.test.ts: what IVssAsync returns instead of the state of an operation.

import { asyncRows } from './failure-rows';
import { testFailures } from './failure-sweep';

testFailures(asyncRows);
