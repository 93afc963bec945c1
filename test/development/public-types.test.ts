// What the types of the package accept and reject, from the point of view of users: one program for each case, all compiled
// together. A wrong program must be rejected for the right reason, which `@ts-expect-error` would not check.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, makeProject, writePrograms } from './examples';

const deltaDirectory = `deltaDirectory: '/d'`;

/** Code that compiles, by what it shows. */
const right: Readonly<Record<string, string>> = {
  'an option that is undefined is not given': `
    await vss.beginBackup({ ${deltaDirectory}, include: undefined, signal: undefined, provider: undefined });`,
  'a backup, a hold and a writer can be left to the end of a block': `
    await using backup = await vss.beginBackup({ ${deltaDirectory} });
    await using hold = await vss.holdDatabases({ ${deltaDirectory} });
    await using writer = await vss.serveWriter({ ${deltaDirectory} });`,
  'progress is told apart by its type': `
    await vss.beginBackup({ ${deltaDirectory}, onProgress(progress) {
      const { type } = progress;
      if (progress.type === 'databases') { const phase: vss.Phase = progress.phase; void phase; }
      const one: 'databases' | 'hash' | 'copy' | 'restore' | 'verify' | 'retry' | 'busy' = type; void one;
    } });`,
  'a report can be complete or partial, and no more': `
    const backup = await vss.beginBackup({ ${deltaDirectory} });
    const { outcome } = await backup.endBackup();
    switch (outcome) { case 'complete': case 'partial': break; default: { const none: never = outcome; void none; } }`,
  'an error is known by its code once it is known to be ours': `
    try { await vss.runDoctor(); } catch (error) {
      if (!vss.isDominoVssError(error)) throw error;
      const code: vss.ErrorCode = error.code; const retryable: boolean = error.retryable; void [code, retryable];
      if (error instanceof vss.DominoError) { const status: number = error.status; void status; }
    }`,
  'a hook is a provider': `
    const provider: vss.ProviderOption = { name: 'mine', create: () => Promise.resolve({ shadows: [] }) };
    await vss.beginBackup({ ${deltaDirectory}, provider });`,
  'a timeline is on the clock of the process': `
    const { window } = await (await vss.beginBackup({ ${deltaDirectory} })).createShadow();
    const ns: bigint = window.originNs - process.hrtime.bigint(); void ns;`,
};

/** Code that does not compile, and the compiler's message. */
const wrong: readonly (readonly [string, string, RegExp])[] = [
  ['a required option is missing', `await vss.beginBackup({});`, /'deltaDirectory' is missing/],
  [
    'an unknown option',
    `await vss.beginBackup({ ${deltaDirectory}, shard: 2 });`,
    /'shard' does not exist|did you mean/i,
  ],
  ['a time as text', `await vss.beginBackup({ ${deltaDirectory}, timeoutMs: '5m' });`, /'string' is not assignable/],
  [
    'a provider that there is not',
    `await vss.beginBackup({ ${deltaDirectory}, provider: 'zfs' });`,
    /"zfs"' is not assignable/,
  ],
  [
    'a hook without a name',
    `await vss.beginBackup({ ${deltaDirectory}, provider: { create: async () => ({ shadows: [] }) } });`,
    /'name' is missing/,
  ],
  [
    'a mode without its service',
    `await vss.beginBackup({ ${deltaDirectory}, mode: { type: 'stop-service' } });`,
    /'service' is missing/,
  ],
  ['a restore without its backup', `await vss.restoreDatabases({ databases: ['mail'] });`, /'manifest' is missing/],
  [
    'a selector with the key of another',
    `await vss.deleteShadows({ by: 'set', id: '{}' });`,
    /'id' does not exist|'setId' is missing|not assignable/,
  ],
  [
    'an error code that nobody throws',
    `const code: vss.ErrorCode = 'ERR_NOTHING'; void code;`,
    /"ERR_NOTHING"' is not assignable/,
  ],
  ['a result that is written to', `const r = await vss.listBackups('/d'); r[0]!.id = 'x';`, /read-only property/],
  [
    'a field of progress before its type is known',
    `await vss.beginBackup({ ${deltaDirectory}, onProgress: (p) => void p.phase });`,
    /'phase' does not exist/,
  ],
  [
    'what happened, taken for an error',
    `try { await vss.runDoctor(); } catch (error) { void error.code; }`,
    /'error' is of type 'unknown'/,
  ],
  ['what is not public', `void vss.loadBinding;`, /'loadBinding' does not exist/],
];

let complaints: string[];
const directory = mkdtempSync(join(tmpdir(), 'domino-vss-types-'));
const program = (index: string, text: string) => ({
  name: index,
  language: 'ts',
  text: `import * as vss from 'domino-vss';\n${text}\n`,
});

beforeAll(() => {
  makeProject(directory);
  writePrograms(directory, [
    ...Object.values(right).map((text, index) => program(`right${index}`, text)),
    ...wrong.map(([, text], index) => program(`wrong${index}`, text)),
  ]);
  complaints = compile(directory, join(directory, 'out')).split('\n');
}, 60_000);

afterAll(() => {
  rmSync(directory, { recursive: true });
});

const about = (file: string): string[] => complaints.filter((line) => line.startsWith(`${file}.ts(`));

test.each(Object.keys(right).map((what, index) => [what, index] as const))('taken: %s', (_what, index) => {
  expect(about(`right${index}`)).toEqual([]);
});

test.each(wrong.map(([what, , expected], index) => [what, expected, index] as const))(
  'refused: %s',
  (_what, expected, index) => {
    const said = complaints.join('\n');
    const own = about(`wrong${index}`);
    expect(own).toHaveLength(1);
    // For a union, what is wrong with each member follows on separate lines.
    const [, rest = ''] = said.split(own[0]!);
    expect(`${own[0]}${rest.split(/\n(?=\w+\.ts\()/)[0]}`).toMatch(expected);
  },
);
