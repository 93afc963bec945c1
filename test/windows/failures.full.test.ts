// Every method that the requester calls fails in turn, itself and in its asynchronous part, with each code it is known
// for. Whatever fails: a typed error that names method and code, or what the caller is told instead; AbortBackup where the
// rules of VSS demand it; no shadow, nothing leaked; and the next backup works.

import { backupRows } from './failure-rows';
import { testFailures } from './failure-sweep';

testFailures(backupRows);
