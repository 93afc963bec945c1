import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { code, components, type Code, type Row } from './failure-rows';
import { Machine } from './machine';
import type { Order, Outcome } from './requester-program';

/** Makes tests of rows, and one more that all of them were reached. */
export function testFailures(rows: readonly Row[]): void {
  const machine = new Machine();

  beforeAll(() => {
    for (const home of machine.homes) writeFileSync(join(home, 'file.txt'), home);
  });

  afterAll(() => {
    machine[Symbol.dispose]();
  });

  /** Which pairs the requester has met, by the stand-in's own log. */
  const reached = new Set<string>();

  function pair({ method, nth = 1, order }: Row, name: Code): string {
    return `${method} #${nth} of ${JSON.stringify(order)} with ${name}`;
  }

  /** All codes of a row in one process: the stand-in counts the calls of a method. */
  async function runRow(row: Row): Promise<void> {
    const { method, order, codes, nth = 1, passes = nth, effect = 'error' } = row;
    machine.forgetCalls();
    const faults = codes.map((name, index) => [`fault.${method}.${index * passes + nth}`, code[name]] as const);
    const program = machine.start('requester-program.js', [machine.deltaDirectory], Object.fromEntries(faults));
    const ask = async (what: Order): Promise<{ outcome: Outcome; calls: string[] }> => {
      const before = machine.calls().length;
      const outcome = (await program.ask(JSON.stringify(what))) as Outcome;
      const calls = machine.calls().slice(before);
      return { outcome, calls: calls.map(({ method: called, result }) => `${called.replace(/^\w+::/, '')} ${result}`) };
    };
    for (const name of codes) {
      const { outcome, calls } = await ask(order);
      if (calls.includes(`${method} ${code[name]}`)) reached.add(pair(row, name));
      const label = pair(row, name);
      const bare = method.replace('.async', '');
      const hex = `0x${code[name].toString(16).toUpperCase().padStart(8, '0')}`;
      const seen = { label, outcome, aborted: calls.includes('AbortBackup 0') };
      const aborted = row.abort === 'due' ? true : row.abort === 'none' ? false : (expect.any(Boolean) as unknown);
      if (effect === 'error') {
        const error = {
          name: 'VssError',
          operation: expect.stringMatching(new RegExp(`(^|::)${bare}$`)) as unknown,
          hresult: code[name],
          hresultHex: hex,
        };
        expect(seen).toEqual({
          label,
          outcome: { isOurs: true, error: expect.objectContaining(error) as unknown },
          aborted,
        });
      } else {
        const told = expect.stringMatching(new RegExp(`${bare}[^]*${hex}|${hex}[^]*${bare}`)) as unknown;
        const result = effect === 'warning' ? expect.arrayContaining([told]) : expect.anything();
        expect(seen).toEqual({ label, outcome: { result: result as unknown }, aborted });
        if (effect === 'none') expect(JSON.stringify(outcome)).not.toContain(hex);
      }
      expect({ label, shadows: machine.shadows() }).toEqual({ label, shadows: [] });
    }
    // The next ones work, in the same process.
    expect((await ask(order)).outcome).toHaveProperty('result');
    expect((await ask(components)).outcome).toHaveProperty('result');
    expect(await program.end()).toMatchObject({ code: 0, stderr: '' });
    expect(machine.shadows()).toEqual([]);
    machine.expectNoLeaks();
  }

  test.each(rows.map((row) => ({ name: `${row.method} #${row.nth ?? 1}`, task: row.order.task, row })))(
    '$name ($task)',
    ({ row }) => runRow(row),
  );

  test('every pair was reached', () => {
    const all = rows.flatMap((row) => row.codes.map((name) => pair(row, name)));
    const unreached = all.filter((one) => !reached.has(one));
    console.log(
      `${reached.size} pairs of method and code reached, ${unreached.length} not${['', ...unreached].join('\n  ')}`,
    );
    expect(unreached).toEqual([]);
  });
}
