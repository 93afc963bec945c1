// What a script leaves if it fails or is interrupted, and what it reports about that.

import type { ScriptEvent } from '#lib/script/events';
import { runStatements, type ScriptReport } from '#lib/script/run-statements';
import { describeEvent } from '#lib/script/text';
import { MemoryMachine, MemoryTarget } from './memory-target';

const machines = (): MemoryMachine => new MemoryMachine();

async function run(
  lines: readonly string[],
  machine: MemoryMachine,
  options: {
    readonly keepGoing?: boolean;
    readonly signal?: AbortSignal;
    readonly onEvent?: (event: ScriptEvent) => void;
  } = {},
): Promise<{ report: ScriptReport | undefined; error: unknown; output: string }> {
  const output: string[] = [];
  try {
    const report = await runStatements({
      text: lines.join('\n'),
      file: 'script.dsh',
      check: false,
      keepGoing: options.keepGoing ?? false,
      env: {},
      workingDirectory: 'c:\\work',
      signal: options.signal,
      emit: (event) => {
        output.push(describeEvent(event) ?? '');
        options.onEvent?.(event);
      },
      createTarget: () => Promise.resolve(new MemoryTarget(machine)),
    });
    return { report, error: undefined, output: output.join('\n') };
  } catch (error) {
    return { report: undefined, error, output: output.join('\n') };
  }
}

const made = ['set context persistent nowriters', 'add volume d: alias data', 'create'];

test('a script that fails before anything could use its shadow copies leaves none', async () => {
  const machine = machines();
  const { report, output } = await run([...made, 'revert %VSS_SHADOW_SET%'], machine);
  expect(report).toMatchObject({ outcome: 'failed' });
  expect(machine.shadows).toEqual([]);
  expect(output).not.toContain('left by this script');
});

test('unless it goes on after failures, or has told the writers that the backup is complete', async () => {
  const kept = machines();
  const { output } = await run([...made, 'revert %VSS_SHADOW_SET%'], kept, { keepGoing: true });
  expect(kept.shadows).toHaveLength(1);
  expect(output).toContain('left by this script:');

  const ended = machines();
  const said = await run(['begin backup', ...made, 'end backup', 'revert %VSS_SHADOW_SET%'], ended);
  expect(ended.shadows).toHaveLength(1);
  expect(said.output).toContain(`  ${ended.shadows[0]!.id} of D:\\, not exposed`);
});

test('a job that fails every night because its drive letter is in use is told what uses it, and accumulates nothing', async () => {
  const machine = machines();
  const night = [...made, 'expose %data% x:', 'exec c:\\backup\\fails.cmd', 'unexpose x:', 'delete shadows id %data%'];
  const first = await run(night, machine);
  expect(first.report).toMatchObject({ exitCode: 1 });
  expect(first.output).toContain(`${machine.shadows[0]!.id} of D:\\, exposed as X:`);
  expect(first.output).toContain(`domino-vss shadow delete --set ${machine.shadows[0]!.setId}`);
  for (let again = 0; again < 2; ++again) {
    const { report, output } = await run(night, machine);
    expect(report).toMatchObject({ exitCode: 1, commands: 0 });
    expect(output).toContain('script.dsh:4:1: X: is in use');
  }
  expect(machine.shadows).toHaveLength(1);
});

test('an interrupted script says what stays and how to remove it', async () => {
  const machine = machines();
  const controller = new AbortController();
  machine.programs.set('c:\\work\\slow.cmd', () => {
    controller.abort(new Error('SIGINT'));
    return { exitCode: 0, output: '' };
  });
  const lines = [...made, 'expose %data% q:', 'exec slow.cmd', 'unexpose q:'];
  const { error, output } = await run(lines, machine, { signal: controller.signal });
  const { id, setId } = machine.shadows[0]!;
  expect(error).toMatchObject({
    code: 'ERR_ABORTED',
    leftBehind: {
      message: `the shadow copy ${id} of D:\\ stays, exposed as Q:`,
      hint: expect.stringContaining(`domino-vss shadow delete --set ${setId}`) as unknown,
    },
  });
  expect(output).toContain(`left by this script:\n  ${id} of D:\\, exposed as Q:`);
});

test('an interrupt before anything could use the shadow copies takes them back', async () => {
  const machine = machines();
  const controller = new AbortController();
  const { error } = await run([...made, 'exec c:\\backup\\copy.cmd'], machine, {
    signal: controller.signal,
    onEvent: ({ type }) => {
      if (type === 'created') controller.abort(new Error('SIGINT'));
    },
  });
  expect(error).toMatchObject({ code: 'ERR_ABORTED', leftBehind: undefined });
  expect(machine.shadows).toEqual([]);
});

test('what the script deletes or breaks itself is not left', async () => {
  const machine = machines();
  const { output } = await run(
    [...made, 'exec c:\\backup\\copy.cmd', 'delete shadows volume d:', 'exec c:\\backup\\fails.cmd'],
    machine,
  );
  expect(machine.shadows).toEqual([]);
  expect(output).not.toContain('left by this script');
});
