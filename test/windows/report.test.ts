// What a backup gets from VSS on a machine with many file specifications. Times are printed, not asserted: under Wine,
// beside other work, they mean little by themselves. See docs/benchmarks.md.

import { Machine } from './machine';

const machine = new Machine();

afterAll(() => {
  machine[Symbol.dispose]();
});

test('20 000 file specifications', async () => {
  const settings = {
    writers: 'system,many',
    'writer.many.id': '{7e570004-7e57-4e57-8e57-7e5700000004}',
    'writer.many.files': 20_000,
  };
  const [report] = await machine.run('report-program.js', [machine.deltaDirectory], settings);
  console.log(JSON.stringify(report));
  expect(report).toMatchObject({ files: 20_002 });
  machine.expectNoLeaks();
});
