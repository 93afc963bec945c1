// The rest of failures.full.test.ts: what IVssAsync answers instead of telling how far an operation is.

import { asyncRows } from './failure-rows';
import { testFailures } from './failure-sweep';

testFailures(asyncRows);
