// Some of the rows of hangs.full.test.ts and hangs-elsewhere.full.test.ts.

import { quickRows, testHangs } from './hang-rows';

testHangs(quickRows);
