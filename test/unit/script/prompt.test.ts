import { PassThrough, Readable } from 'node:stream';
import { completeCommand } from '#lib/script/completion';
import type { ScriptEvent } from '#lib/script/events';
import { runPrompt } from '#lib/script/prompt';
import { MemoryMachine, MemoryTarget } from './memory-target';

async function type(
  lines: readonly string[],
  machine: MemoryMachine,
  output?: PassThrough,
): Promise<{ events: ScriptEvent[]; problems: Awaited<ReturnType<typeof runPrompt>> }> {
  const events: ScriptEvent[] = [];
  const problems = await runPrompt({
    input: Readable.from(lines.map((line) => `${line}\n`)),
    output,
    target: new MemoryTarget(machine),
    env: {},
    signal: new AbortController().signal,
    emit: (event) => {
      events.push(event);
    },
  });
  return { events, problems };
}

test('a failing command ends nothing, and each is told with its line', async () => {
  const machine = new MemoryMachine();
  const { events, problems } = await type(
    ['crate', '', 'set context persistent', 'create', 'add volume d:', 'create', 'exit', 'create'],
    machine,
  );
  expect(problems).toMatchObject([
    { file: '(prompt)', line: 1, column: 1, remedy: 'did you mean "create"?' },
    { file: '(prompt)', line: 4, column: 1, message: 'no volume has been added' },
  ]);
  expect(events.filter(({ type: kind }) => kind === 'created')).toHaveLength(1);
  expect(machine.shadows).toHaveLength(1);
  expect(machine.open).toBe(0);
});

test('the end of the input lets volatile shadow copies go', async () => {
  const machine = new MemoryMachine();
  await type(['add volume d:', 'create'], machine);
  expect(machine.shadows).toEqual([]);
  expect(machine.open).toBe(0);
});

test.each<[string, readonly string[]]>([
  ['add volume /?', ['add volume']],
  ['writer', ['writer verify', 'writer exclude']],
  ['expose', ['expose']],
  ['set option', ['set option']],
  ['list', ['list writers', 'list shadows', 'list providers']],
])('half a command at a terminal, %s, shows how it goes on', async (line, names) => {
  const { events, problems } = await type([line, 'exit'], new MemoryMachine(), new PassThrough());
  const forms = events.flatMap((event) => (event.type === 'help' ? event.forms : []));
  expect(forms.map((form) => (form as { name?: string }).name)).toEqual(names);
  expect(problems).toEqual([]);
});

test('what is wrong with a whole command at a terminal is told', async () => {
  const { problems } = await type(['list everything', 'exit'], new MemoryMachine(), new PassThrough());
  expect(problems).toMatchObject([{ message: '"list everything" is not a command' }]);
});

test('a ^Z in input from elsewhere is not a command', async () => {
  const { problems } = await type(['set', '\u001a'], new MemoryMachine());
  expect(problems).toEqual([]);
});

test('a terminal gets a prompt', async () => {
  const output = new PassThrough();
  await type(['set', 'exit'], new MemoryMachine(), output);
  expect(String(output.read())).toContain('DOMINO-VSS> ');
});

test('an interrupt ends the prompt with everything let go', async () => {
  const machine = new MemoryMachine();
  const controller = new AbortController();
  const input = new PassThrough();
  const running = runPrompt({
    input,
    output: undefined,
    target: new MemoryTarget(machine),
    env: {},
    signal: controller.signal,
    emit: ({ type: kind }) => {
      if (kind === 'metadata') controller.abort(new Error('SIGINT'));
    },
  });
  input.write('add volume d:\ncreate\n');
  await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  expect(machine.open).toBe(0);
});

describe('completion', () => {
  test.each<[string, readonly string[]]>([
    ['cr', ['create ']],
    ['set ', ['context ', 'option ', 'metadata ', 'verbose ']],
    ['set context p', ['persistent ']],
    ['SET CONTEXT persistent no', ['nowriters ']],
    ['delete shadows vol', ['volume ']],
    ['expose %ba', ['%backup_d% ']],
    ['list shadows ', ['all ', 'set ', 'id ']],
    ['nonsense ', []],
  ])('%s', (line, expected) => {
    expect(completeCommand(line, ['backup_d'])[0]).toEqual(expected);
  });
});
