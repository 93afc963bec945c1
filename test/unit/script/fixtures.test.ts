import { join } from 'node:path';
import type { ScriptEvent } from '#lib/script/events';
import { runStatements, type ScriptReport } from '#lib/script/run-statements';
import { readScriptFile } from '#lib/script/script-source';
import { describeEvent } from '#lib/script/text';
import { fixtureDirectory, fixtureNames, readFixture } from './fixture';
import { MemoryMachine, MemoryTarget } from './memory-target';

interface Outcome {
  readonly report: ScriptReport;
  readonly events: readonly ScriptEvent[];
  readonly output: string;
}

async function run(
  text: string,
  machine: MemoryMachine,
  options: { readonly check?: boolean; readonly keepGoing?: boolean } = {},
): Promise<Outcome> {
  const events: ScriptEvent[] = [];
  const report = await runStatements({
    text,
    file: 'script.dsh',
    check: options.check ?? false,
    keepGoing: options.keepGoing ?? false,
    env: { TEST_DIRECTORY: 'c:\\backup' },
    workingDirectory: 'c:\\work',
    emit: (event) => {
      events.push(event);
    },
    createTarget: async () => new MemoryTarget(machine),
  });
  return { report, events, output: events.map(describeEvent).join('\n') };
}

describe.each(fixtureNames())('%s', (name) => {
  test('does what it says', async () => {
    const fixture = await readFixture(name);
    const machine = new MemoryMachine();
    for (const volume of fixture.foreign) machine.addForeign(`${volume.toUpperCase()}\\`);
    const { report, output } = await run(fixture.text, machine, { keepGoing: fixture.keepGoing });

    const problems = report.problems.map(({ line, column, message, remedy }, index) => ({
      place: `${line}:${column}`,
      message: message.includes(fixture.problems[index]?.message ?? '') ? fixture.problems[index]?.message : message,
      remedy: remedy.includes(fixture.problems[index]?.remedy ?? '') ? fixture.problems[index]?.remedy : remedy,
    }));
    expect(problems).toEqual(fixture.problems);
    expect(report.exitCode).toBe(fixture.exit);
    expect(report.outcome).toBe(fixture.exit === 0 ? 'complete' : 'failed');
    for (const text of fixture.says) expect(output).toContain(text);
    for (const text of fixture.never) expect(output).not.toContain(text);
    for (const text of fixture.told) expect(machine.told).toContain(text);
    if (fixture.shadows !== undefined) expect(machine.shadows).toHaveLength(fixture.shadows);
    expect(machine.open).toBe(0);
    expect(report.problems.every(({ remedy }) => remedy !== '')).toBe(true);
  });

  test('is checked without changing anything', async () => {
    const fixture = await readFixture(name);
    const { report } = await run(fixture.text, nobody, { check: true });
    expect(report.exitCode).toBe(fixture.check);
  });
});

/** A check does not use the machine. */
const nobody = new Proxy(new MemoryMachine(), {
  get: (_machine, key) => {
    throw new Error(`a check has asked for ${String(key)}`);
  },
});

describe('the scripts of the migration page', () => {
  const seed = async (name: string): Promise<string> => {
    return (await readScriptFile(join(fixtureDirectory, 'seeds', name))).text;
  };

  test('start and stop in two processes, unchanged', async () => {
    const machine = new MemoryMachine();
    const ofOther = machine.addForeign('D:\\');
    const ofE = machine.addForeign('E:\\');

    const start = await run(await seed('backup_start.txt'), machine);
    expect(start.report).toMatchObject({ outcome: 'complete', exitCode: 0, commands: 6 });
    expect(start.output).toContain('%backup_d% is not created yet; create has to come first and is run now');
    expect(start.output).not.toContain('makes a full backup');
    expect(machine.shadows.map(({ exposedAs }) => exposedAs)).toEqual(['', '', 'B:']);
    expect([...machine.cabinets.keys()]).toEqual([expect.stringMatching(/^c:\\backup\\.*_server\.cab$/)]);
    expect(machine.open).toBe(0);

    const stop = await run(await seed('backup_stop.txt'), machine);
    expect(stop.report).toMatchObject({ outcome: 'complete', exitCode: 0, commands: 2 });
    expect(stop.output).toContain('no backup has begun in this process');
    expect(stop.output).toContain(`2 of 2 are not known to be ours:\n  ${ofOther.id} of D:\\`);
    expect(machine.shadows.map(({ id }) => id)).toEqual([ofE.id]);

    const again = await run(await seed('backup_stop.txt'), machine);
    expect(again.report.exitCode).toBe(0);
  });

  test('a check says what both would do', async () => {
    const start = await run(await seed('backup_start.txt'), nobody, { check: true });
    const plans = start.events.flatMap((event) => (event.type === 'plan' ? [event.text] : []));
    expect(plans).toEqual([
      'make one set of persistent shadow copies of D:\\, without writers',
      expect.stringMatching(/^write the metadata to c:\\backup\\.*\.cab$/),
      'expose the shadow copy at B:',
    ]);
    const stop = await run(await seed('backup_stop.txt'), nobody, { check: true });
    expect(stop.output).toContain('would delete all shadow copies of D:\\');
  });
});

test('a listed shadow copy looks as diskshadow shows it', async () => {
  const { output } = await run(
    'set context persistent nowriters\nadd volume d: alias data\ncreate\nexpose %data% b:\nlist shadows id %data%',
    new MemoryMachine(),
  );
  const block = output.slice(output.indexOf('Querying the shadow copy'));
  expect(block.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, 'TIME').split('\n')).toEqual([
    'Querying the shadow copy with the ID {5ad0cafe-0000-4000-8000-000000000003}',
    '',
    '\t* Shadow copy ID = {5ad0cafe-0000-4000-8000-000000000003}\t\t%data%',
    '\t\t- Shadow copy set: {5ad0cafe-0000-4000-8000-000000000001}\t\t%VSS_SHADOW_SET%',
    '\t\t- Original count of shadow copies = 1',
    '\t\t- Original volume name: \\\\?\\Volume{00000000-aaaa-bbbb-cccc-000000000002}\\ [D:\\]',
    '\t\t- Creation time: TIME',
    '\t\t- Shadow copy device name: \\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy2',
    '\t\t- Originating machine: SERVER',
    '\t\t- Service machine: SERVER',
    '\t\t- Exposed locally as B:',
    `\t\t- Provider ID: {b5946137-7b9f-4925-af80-51abd60b20d5}`,
    '\t\t- Attributes: No_Auto_Release Persistent No_Writers Differential',
    '',
    'Number of shadow copies listed: 1',
  ]);
});

test('an interrupt ends the script between two commands, with nothing left open', async () => {
  const machine = new MemoryMachine();
  const controller = new AbortController();
  const running = runStatements({
    text: 'set context persistent nowriters\nadd volume d:\ncreate\nexec c:\\backup\\copy.cmd',
    file: 'script.dsh',
    check: false,
    keepGoing: false,
    env: {},
    workingDirectory: 'c:\\work',
    signal: controller.signal,
    emit: ({ type }) => {
      if (type === 'created') controller.abort(new Error('SIGINT'));
    },
    createTarget: async () => new MemoryTarget(machine),
  });
  await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expect(machine.told).toEqual([]);
  expect(machine.open).toBe(0);
});

test('exec sees aliases in its environment, in place of variables of the same name', async () => {
  const machine = new MemoryMachine();
  let seen: Readonly<Record<string, string>> = {};
  machine.programs.set('c:\\work\\see.cmd', (env) => {
    seen = env;
    return { exitCode: 0, output: '' };
  });
  await run('add volume d: alias test_directory\ncreate\nexec see.cmd', machine);
  expect(seen).toEqual({
    test_directory: '{5ad0cafe-0000-4000-8000-000000000003}',
    VSS_SHADOW_SET: '{5ad0cafe-0000-4000-8000-000000000001}',
  });
});
