// Does one piece of work: the process that dies in it, or whose calls to the system fail.

import { writeSync } from 'node:fs';
import { doWork, type Limits, type Place, type Task } from './works';

/** What the program is to do. */
export interface Order {
  readonly task: Task;
  readonly place: Place;
  readonly limits: Limits;
}

const { task, place, limits } = JSON.parse(process.argv[2] ?? '{}') as Order;
void doWork(task, place, limits).then((result) => {
  writeSync(1, JSON.stringify(result));
  // Some call may hang for ever.
  process.exit();
});
