import fc from 'fast-check';
import type { ScriptEvent } from '#lib/script/events';
import { commandForms, parseLine, parseScript } from '#lib/script/grammar';
import { readLine, splitLines } from '#lib/script/lexer';
import { ScriptFailure } from '#lib/script/problem';
import { runStatements } from '#lib/script/run-statements';
import { describeEvent } from '#lib/script/text';
import { MemoryMachine, MemoryTarget } from './memory-target';

/** Words that occur in scripts, so that generated scripts get past the first word. */
const words = [
  ...new Set(commandForms.flatMap(({ name, keywords }) => [...name.split(' '), ...keywords])),
  ...['d:', 'D:\\', 'c:\\backup\\x.cab', '"c:\\back up\\"', '%x%', '%VSS_SHADOW_1%', '%VSS_SHADOW_SET%', '%', '"', '#'],
  ...['{b5946137-7b9f-4925-af80-51abd60b20d5}', 'x:', 'share', 'c:\\backup\\copy.cmd', 'System Writer', '\u0000', ''],
];

/** Complete commands, so that scripts do something. */
const commands = [
  ...[
    'set context persistent nowriters',
    'set context volatile',
    'set option transportable',
    'set metadata c:\\backup\\x.cab',
  ],
  ...['add volume d: alias x', 'add volume e: provider {11111111-2222-3333-4444-555555555555}', 'create', 'reset'],
  ...['expose %x% b:', 'unexpose b:', 'exec c:\\backup\\copy.cmd', 'exec c:\\backup\\fails.cmd', 'begin backup'],
  ...[
    'end backup',
    'load metadata c:\\backup\\x.cab',
    'begin restore',
    'end restore',
    'import',
    'delete shadows volume d:',
  ],
  ...['break %VSS_SHADOW_SET%', 'revert %x%', 'delete shadows exposed b:', 'writer exclude System Writer', 'exit'],
];

const anyLine = fc.array(fc.constantFrom(...words), { maxLength: 6 }).map((line) => line.join(' '));
const likelyScript = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...commands) }, { weight: 1, arbitrary: anyLine }), {
    maxLength: 15,
  })
  .map((lines) => lines.join('\n'));
const anyScript = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), likelyScript);

const refuseMachine = new Proxy(new MemoryMachine(), {
  get: (_machine, key) => {
    throw new Error(`a check has asked for ${String(key)}`);
  },
});

test('any text is read: each line is a command, a comment, or a problem with a place inside it', () => {
  fc.assert(
    fc.property(anyScript, (text) => {
      const lines = splitLines(text);
      const { statements, problems } = parseScript(text, 'f');
      for (const { line, column, message, remedy } of problems) {
        expect(column).toBeGreaterThanOrEqual(1);
        expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
        expect(message).not.toBe('');
        expect(remedy).not.toBe('');
      }
      const seen = [...statements, ...problems].map(({ line }) => line);
      expect(new Set(seen).size).toBe(seen.length);
    }),
    { numRuns: 1000 },
  );
});

test('what a line says does not depend on its line end, on blanks around it, or on a comment after it', () => {
  const line = fc
    .array(fc.constantFrom(...words.filter((word) => !/["#\0]/.test(word))), { maxLength: 5 })
    .map((parts) => parts.join(' '));
  fc.assert(
    fc.property(
      line,
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.constantFrom('', '#', ' # comment', '#"'),
      (text, end, comment) => {
        const plain = read(text);
        expect(read(`${text}${comment}`)).toEqual(plain);
        const { statements } = parseScript(`${text}${comment}${end}${text}`, 'f');
        expect(statements.map(({ command }) => command.type)).toEqual(plain === undefined ? [] : [plain, plain]);
      },
    ),
    { numRuns: 500 },
  );
});

function read(text: string): string | undefined {
  try {
    return parseLine(text, 1)?.command.type;
  } catch (error) {
    if (error instanceof ScriptFailure) return undefined;
    throw error;
  }
}

test('words keep every character but blanks and quotes', () => {
  const word = fc.stringMatching(/^[^"#%\s]{1,20}$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), fc.boolean(), (given, quoted) => {
      const line = given.map((text) => (quoted ? `"${text}"` : text)).join('  ');
      expect(readLine(line, 1)?.words.map(({ text }) => text)).toEqual(given);
    }),
  );
});

test('a check of any script ends, asks nothing, and runs nothing', async () => {
  await fc.assert(
    fc.asyncProperty(anyScript, async (text) => {
      const events: ScriptEvent[] = [];
      const report = await runStatements({
        text,
        file: 'f',
        check: true,
        keepGoing: false,
        env: { X: 'value' },
        workingDirectory: 'c:\\work',
        emit: (event) => {
          events.push(event);
        },
        createTarget: async () => new MemoryTarget(refuseMachine),
      });
      expect(events.map(({ type }) => type)).not.toContain('executed');
      for (const event of events) expect(() => describeEvent(event)).not.toThrow();
      expect(report.problems.map(({ code }) => code)).not.toContain('ERR_INTERNAL');
      expect(report.exitCode === 0).toBe(report.problems.length === 0);
    }),
    { numRuns: 500 },
  );
});

test('any script on the computer in memory leaves nothing open, and no volatile shadow copy', async () => {
  let executed = 0;
  await fc.assert(
    fc.asyncProperty(likelyScript, async (text) => {
      const machine = new MemoryMachine();
      const report = await runStatements({
        text,
        file: 'f',
        check: false,
        keepGoing: true,
        env: {},
        workingDirectory: 'c:\\work',
        emit: () => undefined,
        createTarget: async () => new MemoryTarget(machine),
      });
      expect(machine.open).toBe(0);
      executed += machine.told.filter((what) => what.startsWith('exec')).length;
      expect(machine.shadows.filter(({ persistent }) => !persistent)).toEqual([]);
      expect(report.problems.map(({ code }) => code)).not.toContain('ERR_INTERNAL');
    }),
    { numRuns: 300 },
  );
  // Checks that the scripts could run at all.
  expect(executed).toBeGreaterThan(10);
});
