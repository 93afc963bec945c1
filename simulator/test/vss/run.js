'use strict';
// Runs the test programs against the stand-in, in a Wine prefix of its own.
//   node run.js BUILD_DIRECTORY PREFIX_DIRECTORY [NAME…]

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { installVss, runUnderWine } = require('../../vss');
const { writerTests } = require('./writer_tests');

const wine = ['/usr/lib/wine/wine64', '/usr/bin/wine64', '/usr/bin/wine64-stable'].find((file) => fs.existsSync(file));
const [buildDirectory, prefix, ...wanted] = process.argv.slice(2);
// not beside the DLL, which Windows would prefer to the installed one
const programs = path.join(buildDirectory ?? '', 'test');

function makePrefix() {
  if (fs.existsSync(path.join(prefix, 'drive_c', 'windows', 'system32'))) return;
  fs.mkdirSync(prefix, { recursive: true });
  const environment = {
    ...process.env,
    WINEPREFIX: path.resolve(prefix),
    WINEDEBUG: '-all',
    WINEDLLOVERRIDES: 'mscoree=d',
  };
  const { status } = spawnSync(wine, ['wineboot', '-i'], { env: environment, stdio: 'ignore' });
  if (status !== 0) throw new Error(`wineboot ended with ${status}`);
}

/** Fails with what the program printed. */
async function program(vss, name, args = [], { code = 0 } = {}) {
  const run = await runUnderWine({ wine, vss, program: path.join(programs, `${name}.exe`), args });
  if (run.code !== code) throw new Error(`${args} ended with ${run.code}: ${run.stdout}${run.stderr}`);
  if (run.stderr !== '') throw new Error(run.stderr);
  return run.stdout;
}

function equal(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: ${actual}, not ${expected}`);
}

/** Everything that was handed out came back. */
function noLeaks(vss) {
  const reports = vss.reports();
  if (reports.length === 0) throw new Error('no report');
  for (const report of reports) {
    for (const [name, value] of Object.entries(report)) {
      if (name.endsWith('.alive')) equal(value, 0, name);
    }
    equal(report['componentInfos.freed'], report['componentInfos.made'], 'freed component infos');
  }
  equal(vss.devices().length, 0, 'devices left');
  return reports.at(-1);
}

async function waitFor(condition, what) {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The place of an exposed shadow that is gone. */
const leadsNowhere = (place) => fs.lstatSync(place).isSymbolicLink() && !fs.existsSync(place);

/** Drive D:, made while Wine may be running. */
function addVolumeD(vss, settings) {
  const directory = path.join(vss.prefix, 'drive_d');
  fs.rmSync(directory, { recursive: true, force: true });
  vss.addDrive('d', directory);
  vss.configure({ volumes: 'C,D', ...settings });
}

const fieldCase = (vss, mode, options) => program(vss, 'field_cases', [mode], options);
const writeProtection = (vss, mode, options) => program(vss, 'write_protection', [mode], options);
const requester = (vss, mode, options) => program(vss, 'requester', [mode], options);

const tests = {
  async 'slots as in the headers'(vss) {
    await program(vss, 'slots');
  },
  async 'every spelling, a hand-written vtable'(vss) {
    await program(vss, 'handmade');
    noLeaks(vss);
  },
  async 'a backup without writers'(vss) {
    await requester(vss, 'no-writers');
    const report = noLeaks(vss);
    equal(report['strings.freed'], report['strings.made'], 'freed strings');
  },
  async 'a backup and a restore with components'(vss) {
    await requester(vss, 'writers');
    noLeaks(vss);
  },
  async 'as little as a backup can be'(vss) {
    await requester(vss, 'minimal');
    const report = noLeaks(vss);
    equal(report['lenient.noGatherWriterMetadata'], 1, 'lenient.noGatherWriterMetadata');
    equal(report['lenient.noBackupComplete'], 1, 'lenient.noBackupComplete');
  },
  async 'the same, and metadata are demanded'(vss) {
    vss.configure({ gather_required: true });
    const run = await runUnderWine({
      wine,
      vss,
      program: path.join(programs, 'requester.exe'),
      args: ['minimal'],
    });
    equal(run.code, 1, 'exit code');
    if (!run.stdout.includes('PrepareForBackup(async.out()) gave 0x80042301')) throw new Error(run.stdout);
  },
  async 'calls out of order'(vss) {
    await requester(vss, 'bad-states');
    noLeaks(vss);
  },
  async 'a document before the backup is prepared'(vss) {
    vss.configure({ document_before_prepare: true });
    await requester(vss, 'early-document');
    equal(noLeaks(vss)['lenient.documentBeforePrepare'], 1, 'lenient.documentBeforePrepare');
  },
  async 'a thread in no COM apartment'(vss) {
    await requester(vss, 'without-apartment');
    const report = noLeaks(vss);
    equal(report.withoutApartment, 4, 'withoutApartment');
    equal(report['lenient.implicitApartment'], 1, 'lenient.implicitApartment');
  },
  async 'the same, and no apartment is demanded'(vss) {
    vss.configure({ apartment_required: false });
    await requester(vss, 'apartment-not-required');
    const report = noLeaks(vss);
    equal(report.withoutApartment, 0, 'withoutApartment');
    if (report['lenient.withoutApartment'] < 5) throw new Error('calls without an apartment were not counted');
  },
  async 'one set at a time, also when its owner is killed'(vss) {
    const holding = vss.unixPath('C:\\holding');
    const holder = spawn(wine, [path.join(programs, 'requester.exe'), 'hold-set'], {
      stdio: 'ignore',
      env: { ...process.env, ...vss.environment },
    });
    try {
      await waitFor(() => fs.existsSync(holding), 'the open set');
      const other = requester(vss, 'expect-in-progress');
      other.catch(() => {}); // looked at below
      await waitFor(() => !fs.existsSync(holding), 'the refusal');
      holder.kill('SIGKILL');
      await other;
    } finally {
      holder.kill('SIGKILL');
    }
  },
  async 'persistent shadows stay, volatile ones die with their process'(vss) {
    await requester(vss, 'leave-behind', { code: 9 });
    equal(vss.shadows().length, 2, 'shadows on record');
    await requester(vss, 'find-left');
    const report = noLeaks(vss);
    equal(report.orphansSwept, 1, 'orphansSwept');
    equal(leadsNowhere(vss.unixPath('C:\\Mounted')), true, 'C:\\Mounted left behind');
  },
  async 'a deleted shadow that takes its exposure along'(vss) {
    vss.configure({ delete_takes_exposure: true });
    await requester(vss, 'leave-behind', { code: 9 });
    await requester(vss, 'find-left');
    equal(leadsNowhere(vss.unixPath('C:\\Mounted')), false, 'C:\\Mounted left behind');
  },
  async 'one instant, while a program writes'(vss) {
    await requester(vss, 'atomic-cut');
    noLeaks(vss);
  },
  async faults(vss) {
    vss.configure({
      'fault.CreateVssBackupComponents.1': '0x80070005',
      'fault.DoSnapshotSet.async.1': '0x80042306',
      'fault.phase.Hold.1': '0x80042314',
      'fault.phase.Flush.2': '0x80042313',
      log: true,
    });
    await requester(vss, 'faults');
    noLeaks(vss);
    const results = vss.calls().filter(({ method }) => method === 'IVssBackupComponents::DoSnapshotSet.async');
    equal(results.map(({ result }) => result.toString(16)).join(), '80042306,80042314,80042313,0', 'logged results');
  },
  async 'a process that dies in the middle of a set'(vss) {
    vss.configure({ 'fault.phase.PostCommit.1': 'die' });
    await requester(vss, 'no-writers', { code: 137 });
    equal(vss.devices().length, 1, 'devices left by the dead');
    equal(vss.shadows().length, 0, 'shadows on record');
    vss.configure({});
    await requester(vss, 'no-writers');
    noLeaks(vss);
  },
  async 'asynchronous, and cancelled'(vss) {
    vss.configure({ 'latency.phase.Commit': 400 });
    await requester(vss, 'asynchronous');
    noLeaks(vss);
  },
  async 'writers that trouble'(vss) {
    vss.configure({ writers: 'sql,domino,veto,slow,timeout', 'writer.slow.latency.Freeze': 50 });
    await requester(vss, 'troublemakers');
    noLeaks(vss);
  },
  async 'two volumes, limits, a revert'(vss) {
    addVolumeD(vss, { 'volume.D.max_shadows': 1, 'mount.D': 'C:\\mnt' });
    await requester(vss, 'revert-and-limits');
    noLeaks(vss);
  },
  async 'a transportable set: import and break'(vss) {
    vss.configure({ volumes: 'C,D', hardware_provider: true, 'volume.D.hardware': 0 });
    await requester(vss, 'transportable');
    equal(vss.devices().join(), 'HarddiskVolumeShadowCopy1.masked', 'the volume the break left, masked');
    equal(vss.shadows().length, 0, 'shadows on record');
  },
  async 'volatile shadows that outlive the last Release for a while'(vss) {
    vss.configure({ auto_release_delay_ms: 300_000 });
    await requester(vss, 'minimal');
    equal(vss.devices().length, 1, 'devices');
    await requester(vss, 'disabled-writers');
    equal(vss.shadows().length, 1, 'shadows that nobody has looked for');
    vss.configure({});
    await requester(vss, 'no-writers');
    noLeaks(vss);
  },
  async 'writers switched off'(vss) {
    await requester(vss, 'disabled-writers');
    noLeaks(vss);
  },
  async 'a restore that sets the state of a backup'(vss) {
    await fieldCase(vss, 'backup-state-in-restore');
    equal(noLeaks(vss)['lenient.backupStateInRestore'], 1, 'lenient.backupStateInRestore');
    vss.configure({ no_backup_state_in_restore: true });
    await fieldCase(vss, 'backup-state-in-restore-refused');
    noLeaks(vss);
  },
  async 'a recovery set in a restore without context'(vss) {
    addVolumeD(vss, { hardware_provider: true });
    await fieldCase(vss, 'recover-without-context');
  },
  async 'two instances of one writer class'(vss) {
    vss.configure({
      writers: 'sql,second',
      'writer.second.like': 'sql',
      'writer.second.instance': '{22222222-0000-0000-0000-000000000002}',
    });
    await fieldCase(vss, 'instances-are-apart');
    noLeaks(vss);
  },
  async 'components whose volume is not in the set'(vss) {
    addVolumeD(vss);
    await fieldCase(vss, 'components-of-another-volume');
    addVolumeD(vss, { 'writer.sql.checks_volumes': 0 });
    await fieldCase(vss, 'volumes-not-looked-at');
    noLeaks(vss);
  },
  async 'client-accessible shadows are those of the system provider'(vss) {
    vss.configure({ hardware_provider: true });
    await fieldCase(vss, 'client-accessible-by-the-system');
    noLeaks(vss);
  },
  async 'names of shares'(vss) {
    await fieldCase(vss, 'share-names');
    noLeaks(vss);
  },
  async 'a drive that is taken is not exposed at'(vss) {
    const directory = path.join(vss.prefix, 'drive_b');
    const link = path.join(vss.prefix, 'dosdevices', 'b:');
    try {
      await program(vss, 'slots'); // Wine knows its drives from now on
      vss.addDrive('B', directory);
      fs.writeFileSync(path.join(directory, 'mine.txt'), 'mine');
      await fieldCase(vss, 'taken-drive');
      equal(fs.readlinkSync(link), directory, 'B:');
    } finally {
      fs.rmSync(link, { force: true });
      fs.rmSync(directory, { recursive: true, force: true });
    }
    noLeaks(vss);
  },
  async 'a program that leaves COM before it deletes'(vss) {
    await fieldCase(vss, 'left-apartment');
    vss.configure({ implicit_apartment: false });
    await fieldCase(vss, 'left-apartment-strictly');
    vss.configure({ apartment_required: false });
    await fieldCase(vss, 'left-apartment-leniently');
    noLeaks(vss);
  },
  async 'writes into a shadow are refused'(vss) {
    await writeProtection(vss, 'writes-into-shadow');
    noLeaks(vss);
  },
  async 'writers change a shadow when that was agreed on, and until PostSnapshot is over'(vss) {
    vss.configure({ 'latency.phase.PostSnapshot': 1500 });
    await writeProtection(vss, 'auto-recovery');
    noLeaks(vss);
  },
  async 'what a break leaves is written to when that was asked for'(vss) {
    vss.configure({ hardware_provider: true });
    await writeProtection(vss, 'writable-after-break');
  },
  async 'a forgotten backslash is noticed'(vss) {
    await writeProtection(vss, 'forgotten-backslash');
    noLeaks(vss);
  },
  ...writerTests({ wine, programs, program, equal, noLeaks, waitFor }),
};

async function main() {
  makePrefix();
  // One that has started without the guard would let writes pass.
  spawnSync(path.join(path.dirname(wine), 'wineserver'), ['-k'], {
    env: { ...process.env, WINEPREFIX: path.resolve(prefix) },
  });
  const vss = installVss({ prefix, library: path.join(buildDirectory, 'vssapi.dll') });
  let failures = 0;
  for (const [name, test] of Object.entries(tests)) {
    if (wanted.length > 0 && !wanted.some((word) => name.includes(word))) continue;
    vss.reset();
    fs.rmSync(vss.unixPath('C:\\Data'), { recursive: true, force: true });
    fs.rmSync(vss.unixPath('C:\\Mounted'), { recursive: true, force: true });
    const start = Date.now();
    try {
      await test(vss);
      process.stdout.write(`ok      ${name} (${Date.now() - start} ms)\n`);
    } catch (error) {
      failures += 1;
      process.stdout.write(`FAILED  ${name}: ${error.message.trim()}\n`);
    }
  }
  process.exitCode = failures === 0 ? 0 : 1;
}

main();
