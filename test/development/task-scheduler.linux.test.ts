// The tasks of docs/unattended for the Task Scheduler are well-formed, and have the elements, the order and the values of the schema
// in its documentation: https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema. No Task Scheduler reads them here.

import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const directory = join(__dirname, '../../../docs/unattended');
const namespace = 'http://schemas.microsoft.com/windows/2004/02/mit/task';

/** An element, as Python reads it. */
interface Element {
  /** `{namespace}name` */
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

const read = `
import json, sys, xml.etree.ElementTree as tree
def plain(element):
    return {'tag': element.tag, 'attributes': element.attrib, 'text': (element.text or '').strip(),
            'children': [plain(child) for child in element]}
print(json.dumps(plain(tree.parse(sys.stdin.buffer).getroot())))`;

/** Throws if a document is not well-formed. Node.js has no parser for XML. */
function parse(document: string | Buffer): Element {
  const { status, stdout, stderr, error } = spawnSync('python3', ['-c', read], { input: document, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1));
  return JSON.parse(stdout) as Element;
}

type Kind =
  /** The values that are allowed. */
  | { readonly is: 'value'; readonly pattern: RegExp }
  /** Each child at most once: xs:sequence in this order, xs:all in any, "many" of one name as often as one likes. */
  | {
      readonly is: 'sequence' | 'all' | 'many';
      readonly children: Readonly<Record<string, Kind>>;
      readonly required?: string;
    };

const value = (pattern: RegExp): Kind => ({ is: 'value', pattern });
const all = (children: Readonly<Record<string, Kind>>, required?: string): Kind => ({
  is: 'all',
  children,
  ...(required !== undefined && { required }),
});
const text = value(/./);
const boolean = value(/^(true|false)$/);
const duration = value(/^P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?$/);
const dateTime = value(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
const number = value(/^\d+$/);
const empty = value(/^$/);

const calendarTrigger: Kind = {
  is: 'sequence',
  children: {
    Enabled: boolean,
    StartBoundary: dateTime,
    EndBoundary: dateTime,
    ExecutionTimeLimit: duration,
    RandomDelay: duration,
    ScheduleByDay: all({ DaysInterval: number }),
    ScheduleByWeek: all({ WeeksInterval: number, DaysOfWeek: all({ Saturday: empty, Sunday: empty }) }),
  },
  required: 'StartBoundary',
};
const principal = all({ UserId: text, RunLevel: value(/^(LeastPrivilege|HighestAvailable)$/) });
/** Of what may be on the machine of an administrator, what our tasks use, and its neighbours. */
const task = all(
  {
    RegistrationInfo: all({ URI: value(/^\\[^\\]+$/), Author: text, Description: text }),
    Triggers: { is: 'many', children: { CalendarTrigger: calendarTrigger } },
    Principals: { is: 'many', children: { Principal: principal } },
    Settings: all({
      AllowStartOnDemand: boolean,
      MultipleInstancesPolicy: value(/^(Parallel|Queue|IgnoreNew|StopExisting)$/),
      DisallowStartIfOnBatteries: boolean,
      StopIfGoingOnBatteries: boolean,
      AllowHardTerminate: boolean,
      StartWhenAvailable: boolean,
      WakeToRun: boolean,
      Enabled: boolean,
      Hidden: boolean,
      ExecutionTimeLimit: duration,
      Priority: value(/^([0-9]|10)$/),
    }),
    Actions: {
      is: 'many',
      children: { Exec: all({ Command: value(/^.{1,260}$/), Arguments: text, WorkingDirectory: text }, 'Command') },
      required: 'Exec',
    },
  },
  'Actions',
);

/** What the schema does not allow, by the path of the element. */
function faults({ tag, text, children }: Element, kind: Kind, place = ''): string[] {
  const here = `${place}/${tag.replace(`{${namespace}}`, '')}`;
  if (kind.is === 'value') {
    return [...(kind.pattern.test(text) && children.length === 0 ? [] : [`${here}: the value is "${text}"`])];
  }
  const names = children.map((child) => child.tag.replace(`{${namespace}}`, ''));
  const order = Object.keys(kind.children);
  const found: string[] = [];
  const { required } = kind;
  if (required !== undefined && !names.includes(required)) found.push(`${here}: ${required} is missing`);
  if (text !== '') found.push(`${here}: there is a text`);
  if (kind.is !== 'many' && new Set(names).size < names.length) found.push(`${here}: an element is there twice`);
  if (
    kind.is === 'sequence' &&
    names.some((name, index) => order.indexOf(name) < order.indexOf(names[index - 1] ?? ''))
  ) {
    found.push(`${here}: the order is ${names.join(', ')}`);
  }
  const below = children.flatMap((child, index) => {
    const known = kind.children[names[index]!];
    return known ? faults(child, known, here) : [`${here}: ${names[index]} is unknown`];
  });
  return [...found, ...below];
}

const tasks = readdirSync(directory).filter((file) => file.endsWith('.xml'));
const usable = spawnSync('python3', ['--version']).error === undefined;

(usable ? describe : describe.skip)('a task of the Task Scheduler (skipped where there is no python3)', () => {
  test('there is one for the backup and one for the drill', () => {
    expect(tasks).toEqual(['domino-vss-backup.xml', 'domino-vss-drill.xml']);
  });

  test.each(tasks)('%s', (file) => {
    const root = parse(readFileSync(join(directory, file)));
    expect(root.tag).toBe(`{${namespace}}Task`);
    expect(root.attributes).toEqual({ version: '1.2' });
    expect(faults(root, task)).toEqual([]);
    // Actions run as the principal that they name.
    const below = (name: string): Element => root.children.find(({ tag }) => tag === `{${namespace}}${name}`)!;
    expect(below('Principals').children.map(({ attributes }) => attributes['id'])).toEqual([
      below('Actions').attributes['Context'],
    ]);
  });

  test.each<[string, string | RegExp, string, string]>([
    ['an element that is not closed', '</Task>', '', 'no element found'],
    [
      'another order',
      /(<Enabled>true<\/Enabled>)\s*(<StartBoundary>.*<\/StartBoundary>)/,
      '$2$1',
      'the order is StartBoundary, Enabled',
    ],
    ['an unknown element', 'RandomDelay', 'RandomDelays', 'RandomDelays is unknown'],
    ['a wrong duration', 'PT6H', '6h', 'the value is "6h"'],
    ['a second command', '<Arguments>', '<Command>x</Command><Arguments>', 'there twice'],
    ['no command', /<Command>.*<\/Command>/, '', 'Command is missing'],
  ])('%s is found', (_what, from, to, complaint) => {
    const good = readFileSync(join(directory, 'domino-vss-backup.xml'), 'utf8');
    const bad = typeof from === 'string' ? good.replaceAll(from, to) : good.replace(from, to);
    expect(bad).not.toBe(good);
    const found = (): string => {
      try {
        return faults(parse(bad), task).join('\n');
      } catch (error) {
        return String(error);
      }
    };
    expect(found()).toContain(complaint);
  });
});
