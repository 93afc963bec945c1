// A call of VSS hangs for ever in the administration of shadows, or at the end of a backup.

import { otherRows, testHangs } from './hang-rows';

testHangs(otherRows);
