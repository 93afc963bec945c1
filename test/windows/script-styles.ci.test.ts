// Scripts in other people's styles, and broken ones, really run: not with a computer in memory but with the stand-in for
// VSS, with drives, directories, metadata files and programs. The comments in each script say what it is expected to do.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixtureDirectory, fixtureNames, readFixture, type Fixture } from '../unit/script/fixture';
import { commandOn } from './command';
import { Machine, type Program, type VssSettings } from './machine';
import type { Outcome } from './styles-program';

/** Scripts that need a machine that Wine cannot provide. */
const cannotRun: Readonly<Record<string, string>> = {
  'good/style-support-tester.dsh': 'a volume by the name that it has in memory',
  'good/style-exec-along-path.dsh': 'starts a program with a window',
  'good/style-generated-from-volumes.dsh': 'a volume mounted in a directory',
  'good/style-trailing-blanks.dsh': 'a volume mounted in a directory',
  'bad/one-letter-twice.dsh': 'a volume mounted in a directory',
  'bad/volume-twice-by-directory.dsh': 'a volume mounted in a directory',
  'bad/persistent-needs-ntfs.dsh': 'a FAT volume',
};

/** If the words come from the system, not from the machine in memory: the message of the only or first problem. */
const messages: Readonly<Record<string, string>> = {
  'bad/break-software-shadow.dsh': 'VSS_E_PROVIDER_VETO',
  'bad/exec-missing-after-create.dsh': 'there is no nothing.cmd in C:\\work or along PATH',
  'bad/exec-missing.dsh': 'there is no nothing.cmd in C:\\work or along PATH',
  'bad/expose-client-accessible.dsh':
    'was made in the context client-accessible, whose shadows Windows does not expose',
  'bad/expose-taken-drive.dsh': 'C: is taken by the volume',
  'bad/load-nothing.dsh': "ENOENT: no such file or directory, access 'c:\\backup\\nothing.cab'",
  'bad/metadata-nowhere.dsh': 'metadata cannot be written to c:\\nowhere',
  'bad/no-such-volume.dsh': 'Z:\\: ERROR_PATH_NOT_FOUND',
  'bad/revert-system-volume.dsh': 'it contains the metadata in C:\\work',
  'bad/transportable-system-provider.dsh': 'VSS_E_VOLUME_NOT_SUPPORTED',
  'bad/unc-volume.dsh': '\\\\files\\vm\\vm1\\: ERROR_PATH_NOT_FOUND',
  'bad/verify-after-create.dsh': 'Nobody Writer: does not take part',
  'bad/verify-missing-writer.dsh': 'Registry Writer: does not take part',
};

/** Only an import shows the set that a script makes for another machine. */
const waitsForImport: readonly string[] = ['good/style-array-toolkit.dsh'];

/** One of each kind, for every run; the others in the full tier. */
const always = [
  'good/style-import-sample.dsh',
  'good/style-two-sets-with-reset.dsh',
  'good/style-shouting.dsh',
  'bad/sacrificial-letter-and-comment.dsh',
  'bad/exec-fails-after-use.dsh',
  'bad/expose-taken-drive.dsh',
];

const hardwareProvider = '{11111111-2222-3333-4444-555555555555}';

const machine = new Machine();
const programs = new Map<string, Program>();
const scripts = {
  'C:\\backup\\copy.cmd': 'echo copying %backup_d%',
  'C:\\backup\\fails.cmd': 'echo disk full\r\nexit 7',
  'C:\\work\\relative.bat': 'echo found',
  'C:\\jobs\\nightly copy.cmd': 'echo set %VSS_SHADOW_SET%',
};
const directories = ['C:\\backup', 'C:\\work', 'C:\\shadow', 'C:\\jobs'];

beforeAll(() => {
  for (const directory of directories) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory);
  }
  for (const [file, text] of Object.entries(scripts)) writeFileSync(file, `@echo off\r\n${text}\r\n`);
});

afterAll(async () => {
  for (const program of programs.values()) expect(await program.end()).toMatchObject({ code: 0, stderr: '' });
  // Not expectNoLeaks(): a script that ends without `end backup` leaves its writers without BackupComplete.
  const alive = machine
    .reports()
    .flatMap(Object.entries)
    .filter(([key, value]) => key.endsWith('.alive') && value !== 0);
  expect(alive).toEqual([]);
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  machine[Symbol.dispose]();
});

/** T: is on a disk array. Its provider supports other volumes, too, if a script names it. */
function settingsFor({ text }: Fixture): VssSettings {
  const isAsked = text.includes(hardwareProvider) ? 1 : 0;
  return {
    volumes: 'C,D,E,R,T',
    'volume.R.supported': 0,
    hardware_provider: 1,
    'hardware_provider.id': hardwareProvider,
    'volume.C.hardware': 0,
    'volume.D.hardware': isAsked,
    'volume.E.hardware': isAsked,
  };
}

/** The stand-in reads its settings once per process. */
function programFor(fixture: Fixture): Program {
  const settings = settingsFor(fixture);
  const key = JSON.stringify(settings);
  const program = programs.get(key) ?? machine.start('styles-program.js', [], settings);
  programs.set(key, program);
  return program;
}

/** A set of another program, whose state is not ours. */
async function makeForeign(volume: string, fixture: Fixture): Promise<void> {
  const script = join(machine.deltaDirectory, 'foreign.dsh');
  mkdirSync(machine.deltaDirectory, { recursive: true });
  const metadata = join(machine.deltaDirectory, 'foreign.cab');
  const lines = ['set context clientaccessible', `set metadata ${metadata}`, `add volume ${volume}`, 'create'];
  writeFileSync(script, lines.join('\r\n'));
  const elsewhere = { ProgramData: join(machine.programData, 'of-others') };
  mkdirSync(elsewhere.ProgramData, { recursive: true });
  expect(await commandOn(machine, settingsFor(fixture), elsewhere)('script', script)).toMatchObject({ code: 0 });
}

/** An id that the machine in memory gives. */
const ofMemory = /\{5ad0cafe/i;

const isOfOthers = (name: string): boolean => /^(good\/style-|bad\/)/.test(name);
const names = process.env['DOMINO_VSS_TEST_TIER'] === 'full' ? fixtureNames().filter(isOfOthers) : always;

test.each(names.filter((name) => cannotRun[name] === undefined))('%s', async (name) => {
  const read = await readFixture(name);
  const expected = read.problems.map((problem, index) => {
    return index === 0 ? { ...problem, message: messages[name] ?? problem.message } : problem;
  });
  const fixture = { ...read, problems: expected };
  const program = programFor(fixture);
  const before = machine.shadows();
  for (const volume of fixture.foreign) await makeForeign(volume, fixture);
  program.say(JSON.stringify({ file: join(fixtureDirectory, name), keepGoing: fixture.keepGoing }));
  const outcome = (await program.expectNext()) as Outcome;
  const isNew = (id: string): boolean => !before.includes(id);
  const left = machine.shadows().filter(isNew).length;
  expect(await program.ask('clean up')).toEqual({ exitCode: 0 });
  for (const file of readdirSync('C:\\work')) if (file.endsWith('.cab')) rmSync(join('C:\\work', file));

  const problems = outcome.problems.map((problem, index) => {
    const { message = '?', remedy = '?' } = fixture.problems[index] ?? {};
    return {
      place: problem.place,
      message: problem.message.includes(message) ? message : problem.message,
      remedy: problem.remedy.includes(remedy) ? remedy : problem.remedy,
    };
  });
  expect({
    exit: outcome.exitCode,
    problems,
    unsaid: fixture.says.filter((text) => !ofMemory.test(text) && !outcome.output.includes(text)),
    forbidden: fixture.never.filter((text) => outcome.output.includes(text)),
    shadows: fixture.shadows === undefined ? undefined : left,
    left: waitsForImport.includes(name) ? [] : machine.shadows().filter(isNew),
  }).toEqual({
    exit: fixture.exit,
    problems: fixture.problems,
    unsaid: [],
    forbidden: [],
    shadows: fixture.shadows,
    left: [],
  });
});
