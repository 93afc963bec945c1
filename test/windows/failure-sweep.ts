import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { code, components, type Code, type Row } from './failure-rows';
import { Machine } from './machine';
import type { Order, Outcome } from './requester-program';

/** Makes tests from rows, and one more test that all of them were reached. */
export function testFailures(rows: readonly Row[]): void {
  const machine = new Machine();

  beforeAll(async () => {
    for (const home of machine.homes) writeFileSync(join(home, 'file.txt'), home);
    const restore = rows.find(({ order }) => order.task === 'restore');
    if (!restore) return;
    // Made by another process, so that the calls of a restore are counted from its beginning.
    const program = machine.start('requester-program.js', [machine.deltaDirectory], restore.settings);
    expect(await program.ask(JSON.stringify({ task: 'document' }))).toHaveProperty('result');
    await program.end();
  });

  afterAll(() => {
    machine[Symbol.dispose]();
  });

  /** The pairs that the requester has met, according to the stand-in's log. */
  const reached = new Set<string>();

  function pair({ method, nth = 1, order }: Row, name: Code): string {
    return `${method} #${nth} of ${JSON.stringify(order)} with ${name}`;
  }

  /** The stand-in counts the calls of a method per process. */
  async function runCodes(row: Row, codes: readonly Code[]): Promise<void> {
    const { method, order, nth = 1, passes = nth, effect = 'error' } = row;
    machine.forgetCalls();
    const faults = codes.map((name, index) => {
      const which = nth === 'every' ? '*' : String(index * Number(passes) + nth);
      return [`fault.${method}.${which}`, code[name]] as const;
    });
    const settings = { ...row.settings, ...Object.fromEntries(faults) };
    const program = machine.start('requester-program.js', [machine.deltaDirectory], settings);
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
      const operation = row.operation ?? method.replace('.async', '');
      const hex = `0x${code[name].toString(16).toUpperCase().padStart(8, '0')}`;
      const seen = { label, outcome, aborted: calls.includes('AbortBackup 0') };
      const methods = calls.map((call) => call.split(' ')[0]);
      const cancelled =
        methods.includes('Cancel') && !methods.slice(0, methods.indexOf('Cancel')).includes('AbortBackup');
      expect({ label, cancelled }).toEqual({ label, cancelled: row.cancels ?? cancelled });
      const aborted = row.abort === 'due' ? true : row.abort === 'none' ? false : (expect.any(Boolean) as unknown);
      if (effect === 'error') {
        const ofVss = {
          name: 'VssError',
          operation: expect.stringMatching(new RegExp(`(^|::)${operation}$`)) as unknown,
          hresult: code[name],
          hresultHex: hex,
        };
        const error = row.instead === undefined ? ofVss : { code: row.instead };
        expect(seen).toEqual({
          label,
          outcome: { isOurs: true, error: expect.objectContaining(error) as unknown },
          aborted,
        });
      } else {
        const said = expect.stringMatching(new RegExp(`${operation}[^]*${hex}|${hex}[^]*${operation}`)) as unknown;
        const told = expect.objectContaining({
          code: expect.stringMatching(/^WARN_/) as unknown,
          message: said,
        }) as unknown;
        const result = effect === 'warning' ? expect.arrayContaining([told]) : expect.anything();
        expect(seen).toEqual({ label, outcome: { result: result as unknown }, aborted });
        if (effect === 'none') expect(JSON.stringify(outcome)).not.toContain(hex);
      }
      expect({ label, shadows: machine.shadows() }).toEqual({ label, shadows: [] });
    }
    // The next tasks work in the same process, unless it can no longer do anything.
    if (nth !== 'every') {
      expect((await ask(order)).outcome).toHaveProperty('result');
      expect((await ask(components)).outcome).toHaveProperty('result');
    }
    expect(await program.end()).toMatchObject({ code: 0, stderr: '' });
    expect(machine.shadows()).toEqual([]);
    machine.expectNoLeaks();
  }

  async function runRow(row: Row): Promise<void> {
    const runs = row.alone ? row.codes.map((name) => [name]) : [row.codes];
    for (const codes of runs) await runCodes(row, codes);
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
