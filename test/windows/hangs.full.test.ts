// A call of VSS hangs forever, in a backup and in the administration of shadows. HANG_ROWS selects rows: a regular expression for
// the task and the method, for example `backup AddToSnapshotSet`.

import { allRows, testHangs } from './hang-rows';

const wanted = new RegExp(process.env['HANG_ROWS'] ?? '');

testHangs(
  allRows.filter(({ task, method }) => wanted.test(`${task} ${method}`)),
  4,
);
