// A call of VSS hangs for ever, in a backup and in the administration of shadows. HANG_ROWS chooses some: a regular expression for
// the task and the method, `backup AddToSnapshotSet` for example.

import { allRows, testHangs } from './hang-rows';

const wanted = new RegExp(process.env['HANG_ROWS'] ?? '');

testHangs(
  allRows.filter(({ task, method }) => wanted.test(`${task} ${method}`)),
  4,
);
