// What the doctor queries from Windows. The stand-in has no storage for shadows, so the free space of the drive is reported.

import { Machine } from './machine';

const machine = new Machine();

afterAll(() => {
  machine[Symbol.dispose]();
});

test("the free space of the databases' volume is queried, by the name that VSS uses", async () => {
  const [check] = await machine.run('doctor-program.js', [machine.homes[0]]);
  expect(check).toEqual({
    name: 'shadow storage',
    status: 'ok',
    code: '',
    found: 'there is room for a shadow of C:\\',
    advice: '',
  });
  machine.expectNoLeaks();
});
