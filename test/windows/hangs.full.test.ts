// A call of VSS hangs for ever in a backup.

import { rowsOfBackups, testHangs } from './hang-rows';

testHangs(rowsOfBackups);
