// The rest of failures.full.test.ts: failures while writers' metadata are read, and in the administration of shadows.

import { administrationRows, metadataRows } from './failure-rows';
import { testFailures } from './failure-sweep';

testFailures([...metadataRows, ...administrationRows]);
