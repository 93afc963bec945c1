// What Windows is asked by the doctor. The stand-in has no storage for shadows: the free space of the drive is what is seen.

import { Machine } from './machine';

const machine = new Machine();

afterAll(() => {
  machine[Symbol.dispose]();
});

test('the volume of the databases is asked for room, by the name that VSS takes', async () => {
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
