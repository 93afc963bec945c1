// Two rows of hangs.full.test.ts.

import { quickRows, testHangs } from './hang-rows';

testHangs(quickRows);
