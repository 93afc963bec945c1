// Every method that the requester calls fails in turn, both directly and in its asynchronous part, with each code that is documented
// for it. In each case: a typed error that names method and code, or what the caller is told instead; AbortBackup where the
// rules of VSS require it; no shadow is left and nothing is leaked; and the next backup works.

import { backupRows } from './failure-rows';
import { testFailures } from './failure-sweep';

testFailures(backupRows);
