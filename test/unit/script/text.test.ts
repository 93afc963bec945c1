import type { ScriptEvent } from '#lib/script/events';
import { describeEvent, describeProblem } from '#lib/script/text';

// Control characters, except the tabs and line ends of the listings themselves.
// eslint-disable-next-line no-control-regex -- this is what is looked for
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
const evil = 'a\u001b]0;owned\u0007\u001b[2Jb\u009b31m\u202e';
const shown = 'a\\x1b]0;owned\\x07\\x1b[2Jb\\x9b31m\\u202e';

const events: readonly ScriptEvent[] = [
  { type: 'expanded', name: evil, value: evil },
  { type: 'alias', name: evil, value: evil, of: 'value' },
  { type: 'note', message: evil },
  { type: 'warning', code: 'WARN_SET_VOLATILE', message: evil, subjects: [] },
  { type: 'detail', message: evil },
  { type: 'metadata', action: 'written', file: evil },
  { type: 'exposed', id: evil, as: evil },
  { type: 'unexposed', id: evil, as: evil },
  { type: 'reverted', id: evil, volume: evil },
  { type: 'restore', action: 'begun', writers: [{ name: evil, id: evil, present: true }] },
  { type: 'executed', file: evil, exitCode: 0 },
  { type: 'plan', text: evil },
  { type: 'added', volumes: [{ volume: evil, alias: evil, providerId: evil }], aliases: [{ name: evil, value: evil }] },
  { type: 'problem', file: evil, line: 1, column: 1, kind: 'failed', code: '', message: evil, remedy: evil },
] as unknown as readonly ScriptEvent[];

test.each(events.map((event) => [event.type, event] as const))(
  'a name in %s does not reach a terminal raw',
  (_type, event) => {
    const text = describeEvent(event) ?? '';
    expect(text).toContain(shown);
    expect(text).not.toMatch(obeyed);
  },
);

test('a name cannot add a line of its own', () => {
  const event = { type: 'metadata', action: 'written', file: 'x\nDeleted shadow copy y' } as unknown as ScriptEvent;
  expect(describeEvent(event)).toBe('Metadata written to x\\nDeleted shadow copy y');
});

test('the file name of a problem cannot do so either', () => {
  const problem = { file: evil, line: 1, column: 2, message: 'm', remedy: '' } as unknown as Parameters<
    typeof describeProblem
  >[0];
  expect(describeProblem(problem)).toBe(`${shown}:1:2: m`);
});
