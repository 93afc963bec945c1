// Problems that are found before anything is done, in addition to those in the fixtures: metadata of earlier scripts, and variables.

import type { ScriptEvent } from '#lib/script/events';
import { runStatements, type ScriptReport } from '#lib/script/run-statements';
import { describeEvent } from '#lib/script/text';
import { hardwareProvider, MemoryMachine, MemoryTarget } from './memory-target';

async function run(
  lines: readonly string[],
  machine: MemoryMachine,
  options: { readonly check?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<{ report: ScriptReport; output: string }> {
  const events: ScriptEvent[] = [];
  const report = await runStatements({
    text: lines.join('\n'),
    file: 'script.dsh',
    check: options.check ?? false,
    keepGoing: false,
    env: options.env ?? {},
    workingDirectory: 'c:\\work',
    emit: (event) => {
      events.push(event);
    },
    createTarget: () => Promise.resolve(new MemoryTarget(machine)),
  });
  return { report, output: events.map(describeEvent).join('\n') };
}

describe('metadata of an earlier script', () => {
  const later = ['load metadata set.cab', 'import', 'expose %nightly% g:'];

  async function array(): Promise<MemoryMachine> {
    const machine = new MemoryMachine();
    const { report } = await run(
      [
        'set context persistent',
        'set option transportable',
        'set metadata set.cab',
        `add volume d: alias nightly provider ${hardwareProvider}`,
        'create',
      ],
      machine,
    );
    expect(report.outcome).toBe('complete');
    return machine;
  }

  test('are read for the rehearsal, so that their aliases count', async () => {
    const machine = await array();
    const { report } = await run(later, machine);
    expect(report.outcome).toBe('complete');
    expect(machine.shadows).toMatchObject([{ exposedAs: 'G:' }]);
  });

  test('that another program has written define no alias: which is told before the import', async () => {
    const machine = await array();
    const [[file, documents] = ['', new Map<string, string>()]] = machine.cabinets;
    machine.cabinets.set(file, new Map([...documents, ['Manifest.xml', '<manifest/>']]));
    const { report, output } = await run(later, machine);
    expect(report.problems).toMatchObject([{ line: 3, message: '%nightly% is not defined' }]);
    expect(output).not.toContain('Imported shadow copies');
    expect(machine.shadows).toMatchObject([{ exposedAs: '' }]);
  });
});

describe('variables in a check away from the machine', () => {
  const lines = ['set metadata %TEMP%\\m.cab', 'add volume %SystemDrive%', 'create', 'exec %ProgramFiles%\\job.ps1'];

  test('that every Windows has are noted, once each, and their lines not judged', async () => {
    const { report, output } = await run([...lines, 'exec %temp%\\job.cmd'], new MemoryMachine(), { check: true });
    expect(output).toContain('note: %TEMP% is a variable of Windows that is not defined here');
    expect(output.match(/%TEMP% is a variable of Windows/gi)).toHaveLength(1);
    expect(output).toContain('line 4 depends on a variable that is only known when the script runs');
    expect(output).toContain('would make one set of volatile shadow copies of %SystemDrive%');
    expect(report.problems).toEqual([]);
  });

  test('are judged where they are defined', async () => {
    const env = { TEMP: 'c:\\backup', SystemDrive: 'C:', ProgramFiles: 'c:\\p' };
    const { report } = await run(lines, new MemoryMachine(), { check: true, env });
    expect(report.problems).toMatchObject([{ line: 4, message: '"c:\\p\\job.ps1" is not a script file' }]);
  });

  test('that nothing defines are a mistake there too', async () => {
    const { report } = await run(['set metadata %TMEP%\\m.cab'], new MemoryMachine(), { check: true });
    expect(report.problems).toMatchObject([{ message: '%TMEP% is not defined' }]);
  });
});
