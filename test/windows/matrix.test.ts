// Every context, with and without writers, with one and two volumes: which calls VSS gets in which order, which it must
// not get, the attributes of the shadows, and how long they live. Plain volumes, because databases make no difference to VSS.

import { opendirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkHookShadows } from '#lib/backup/hook-provider';
import type { ShadowAttribute, VssContext } from '#lib/index';
import type { NativeVolume } from '#lib/native/session';
import { Machine, type Program } from './machine';
import type { EndOfBackup, Made } from './matrix-program';
import type { SeenShadow } from './shadows-program';

const machine = new Machine();
/** Another process, which sees the shadows of the backups. */
let other: Program;

beforeAll(async () => {
  for (const home of machine.homes) writeFileSync(join(home, 'file.txt'), home);
  other = machine.start('shadows-program.js', []);
  expect(await other.ask('list')).toEqual([]);
});

afterAll(async () => {
  expect((await other.end()).code).toBe(0);
  machine.expectNoLeaks();
  machine[Symbol.dispose]();
});

interface Context {
  readonly name: VssContext;
  readonly writers: 'none' | 'all';
  readonly attributes: readonly ShadowAttribute[];
}

/** As documented, except `differential`, which shadows of the system provider always are. */
const contexts: readonly Context[] = [
  { name: 'backup', writers: 'all', attributes: ['no-autorecovery', 'differential'] },
  { name: 'file-share-backup', writers: 'none', attributes: ['no-writers', 'differential'] },
  {
    name: 'app-rollback',
    writers: 'all',
    attributes: ['persistent', 'no-autorecovery', 'no-auto-release', 'differential'],
  },
  {
    name: 'nas-rollback',
    writers: 'none',
    attributes: ['persistent', 'no-auto-release', 'no-writers', 'differential'],
  },
  {
    name: 'client-accessible',
    writers: 'none',
    attributes: ['persistent', 'client-accessible', 'no-auto-release', 'no-writers', 'differential'],
  },
  {
    name: 'client-accessible-writers',
    writers: 'all',
    attributes: ['persistent', 'no-autorecovery', 'client-accessible', 'no-auto-release', 'differential'],
  },
];

/** The calls of a complete backup, in order, without reading metadata and waiting. */
function expectedCalls({ writers }: Context, volumes: number, kept: boolean): string[] {
  const withWriters = writers === 'all';
  const each = (method: string): string[] => new Array<string>(volumes).fill(method);
  const waited = (method: string): string[] => [method, `${method}.async`];
  const ofWriters = (...methods: string[]): string[] => (withWriters ? methods : []);
  return [
    'InitializeForBackup',
    // An object has VSS_CTX_BACKUP from the beginning, unless attributes are added.
    'SetContext',
    ...each('IsVolumeSupported'),
    ...ofWriters('SetBackupState', ...waited('GatherWriterMetadata')),
    'StartSnapshotSet',
    ...each('AddToSnapshotSet'),
    ...ofWriters(...waited('PrepareForBackup'), ...waited('GatherWriterStatus')),
    ...waited('DoSnapshotSet'),
    ...ofWriters(...waited('GatherWriterStatus')),
    ...each('GetSnapshotProperties'),
    'SaveAsXML',
    // Before the manifest is written, another object checks that the shadows to be kept still exist.
    ...(kept ? ['InitializeForBackup', 'SetContext', 'Query'] : []),
    // At the end: do they still exist?
    ...each('GetSnapshotProperties'),
    ...ofWriters(...waited('BackupComplete'), ...waited('GatherWriterStatus')),
    ...(kept ? [] : ['DeleteSnapshots']),
  ];
}

/** The calls of the process on the requester's object that makes the set. */
function callsOf(pid: number): string[] {
  const looking = /^(GetWriter|FreeWriter)/;
  const calls = machine
    .calls()
    .filter((call) => call.pid === pid && call.method.startsWith('IVssBackupComponents'))
    .map(({ method }) => method.replace(/^\w+::/, ''))
    .filter((method) => !looking.test(method));
  // An object that only checks whether VSS can be used at all.
  const probes = calls.lastIndexOf('InitializeForBackup', calls.indexOf('StartSnapshotSet'));
  expect(calls.slice(0, probes).every((method) => method === 'InitializeForBackup')).toBe(true);
  return calls.slice(probes);
}

/** existsSync() would remove the last backslash and check the device. */
function isDirectory(root: string): boolean {
  try {
    opendirSync(root).closeSync();
    return true;
  } catch {
    return false;
  }
}

const rejects = (): Promise<never> => Promise.reject(new Error('not to be called'));

const cells = contexts.flatMap((context) => [1, 2].map((volumes) => ({ ...context, context, volumes })));

test.each(cells)('$name, writers $writers, $volumes volume(s)', async ({ context, volumes }) => {
  const { name, writers, attributes } = context;
  const persistent = attributes.includes('persistent');
  const options = { volumes: ['C:', 'D:'].slice(0, volumes), vss: { context: name }, writers };
  const args = [machine.deltaDirectory, JSON.stringify(options), persistent ? 'keep' : 'end'];
  const program = machine.start('matrix-program.js', args);
  const made = (await program.expectNext()) as Made;

  const shadow = { context: name, attributes, persistent };
  expect(made.shadows).toMatchObject(new Array(volumes).fill({ ...shadow, own: true }));
  expect(made.writers.map(({ excluded, state }) => ({ excluded, state }))).toEqual(
    new Array(writers === 'all' ? 6 : 0).fill({ excluded: '', state: 'waiting-for-backup-complete' }),
  );
  expect(made.hasDocument).toBe(true);
  for (const { root } of made.shadows) expect(isDirectory(root)).toBe(true);
  // A hook may return the roots of such shadows.
  const roots = made.shadows.map(({ root }, index) => ({ volume: `volume ${index}`, root }));
  const volumesOfHook = roots.map(({ volume }) => ({ path: volume }) as NativeVolume);
  await checkHookShadows({ name: 'hook', create: rejects }, { shadows: roots }, volumesOfHook);
  // Another process, which did not make them, sees them.
  const ids = made.shadows.map(({ id }) => id).sort();
  const seen = async (line = 'list'): Promise<SeenShadow[]> => (await other.ask(line)) as SeenShadow[];
  const whileOpen = await seen();
  expect(whileOpen.map(({ id }) => id).sort()).toEqual(ids);
  expect(whileOpen).toMatchObject(new Array(volumes).fill({ ...shadow, setId: made.setId, own: false }));

  const ended = (await program.ask('end')) as EndOfBackup;
  expect(ended).toMatchObject({ lifetime: persistent ? 'persistent' : 'backup', outcome: 'complete' });
  expect(await program.end()).toMatchObject({ code: 0, stderr: '' });
  expect(callsOf(program.pid)).toEqual(expectedCalls(context, volumes, persistent));

  expect((await seen()).map(({ id }) => id).sort()).toEqual(persistent ? ids : []);
  for (const { root } of made.shadows) expect(isDirectory(root)).toBe(persistent);
  if (persistent) expect(await seen(made.setId)).toEqual([]);
  for (const { root } of made.shadows) expect(isDirectory(root)).toBe(false);
  expect(machine.shadows()).toEqual([]);
});

test('what a context does not allow is refused before VSS is asked anything', async () => {
  const wrongWriters = contexts.map(({ name, writers }) => {
    return { volumes: ['C:'], vss: { context: name }, writers: writers === 'all' ? 'none' : 'all' };
  });
  const wrongLifetimes = contexts
    .filter(({ attributes }) => !attributes.includes('persistent'))
    .map(({ name }) => ({ volumes: ['C:'], vss: { context: name }, lifetime: 'persistent' }));
  // The seventh context is for administration: it cannot make shadows.
  const administrative = { volumes: ['C:'], vss: { context: 'all' } };
  const refused = [...wrongWriters, ...wrongLifetimes, administrative];
  const program = machine.start('matrix-program.js', [machine.deltaDirectory, 'refused', JSON.stringify(refused)]);
  const { code, lines } = await program.ended;
  expect(code).toBe(0);
  expect(lines).toHaveLength(refused.length);
  expect(lines).toEqual(
    refused.map(() => expect.objectContaining({ name: 'OptionError', code: 'ERR_OPTION' }) as unknown),
  );
  expect(machine.calls().filter(({ pid }) => pid === program.pid)).toEqual([]);
});

test('the administrative context makes no shadow and asks no writer', () => {
  const made =
    /::(SetBackupState|GatherWriter|StartSnapshotSet|AddToSnapshotSet|PrepareForBackup|DoSnapshotSet|BackupComplete|AbortBackup)/;
  const calls = machine.calls().filter(({ pid }) => pid === other.pid);
  expect(calls.some(({ method }) => method.endsWith('::Query'))).toBe(true);
  expect(calls.filter(({ method }) => made.test(method))).toEqual([]);
});
