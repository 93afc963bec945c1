'use strict';
// The tests with writers that are programs: writer.exe hears of what with_writers.exe does. run.js runs them.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');

const nullId = '{00000000-0000-0000-0000-000000000000}';

/** `tools`: what run.js has for its own tests. */
function writerTests({ wine, programs, program, equal, noLeaks, waitFor }) {
  const requester = (vss, mode, options) => program(vss, 'with_writers', [mode], options);

  /** A running writer.exe; `options` become its arguments. */
  async function startWriter(vss, options = {}, name = 'writer', executable = 'writer.exe') {
    const log = vss.unixPath(`C:\\${name}.log`);
    for (const file of [log, `${log}.stop`]) fs.rmSync(file, { force: true });
    const words = Object.entries({ log: `C:\\${name}.log`, ...options }).map(([key, value]) => `${key}=${value}`);
    const child = spawn(wine, [path.join(programs, executable), ...words], {
      stdio: 'ignore',
      env: { ...process.env, ...vss.environment },
    });
    const ended = once(child, 'close');
    const lines = () => (fs.existsSync(log) ? fs.readFileSync(log, 'utf8').trim().split('\n') : []);
    const begun = () => lines().filter((line) => line.startsWith('On') && !line.endsWith(' ends'));
    await waitFor(() => lines().some((line) => line.startsWith('started')), 'the writer');
    return {
      lines,
      /** The names of the events, in the order in which they began. */
      events: () => begun().map((line) => line.split(' ')[0]),
      /** The first line of the event as `{ name: value }`. */
      event(wanted) {
        const line = begun().find((candidate) => candidate.startsWith(`${wanted} `));
        if (!line) throw new Error(`the writer has not heard ${wanted}: ${lines().join('; ')}`);
        return Object.fromEntries(
          line
            .split(' ')
            .slice(1)
            .map((pair) => pair.split('=')),
        );
      },
      kill: () => child.kill('SIGKILL'),
      ended,
      async stop() {
        fs.writeFileSync(`${log}.stop`, '');
        const [code] = await ended;
        fs.rmSync(`${log}.stop`);
        equal(code, 0, 'exit code of the writer');
      },
    };
  }

  /** With a writer that runs as long as `body`. */
  async function withWriter(vss, options, body, executable = 'writer.exe') {
    const writer = await startWriter(vss, options, 'writer', executable);
    try {
      await body(writer);
      await writer.stop();
    } finally {
      writer.kill();
    }
  }

  /** What the requester printed of the writer's state: `{ prepared, result, done }`. */
  async function report(vss, options) {
    const text = await requester(vss, 'report', options);
    const find = (pattern) => (pattern.exec(text) ?? [])[1]?.trim();
    return { prepared: find(/^prepared: (.*)$/m), result: find(/^result=(.*)$/m), done: find(/^done: (.*)$/m) };
  }

  const finished = '0004230a';
  const fine = 'failure=00000000 application=0 message=';
  const busy = 'application=3748 message=a database is busy';
  const whole = 'OnPrepareBackup,OnPrepareSnapshot,OnFreeze,OnThaw,OnPostSnapshot,OnBackupComplete,OnBackupShutdown';

  return {
    async 'a writer that vetoes'(vss) {
      await withWriter(vss, { OnFreeze: 'veto:800423f3' }, async (writer) => {
        const { prepared, result, done } = await report(vss);
        equal(prepared, `there=1 state=1 ${fine}`, 'after PrepareForBackup');
        equal(result, finished, 'result of DoSnapshotSet');
        equal(done, `there=1 state=9 failure=800423f3 ${busy}`, 'after DoSnapshotSet');
        equal(
          writer.events().join(),
          'OnIdentifyEx,OnPrepareBackup,OnPrepareSnapshot,OnFreeze,OnAbort,OnBackupShutdown',
          'events',
        );
      });
      // What it does not say is taken for the worst.
      await withWriter(vss, { OnPrepareSnapshot: 'false' }, async (writer) => {
        equal(
          (await report(vss)).done,
          'there=1 state=8 failure=800423f4 application=0 message=',
          'after DoSnapshotSet',
        );
        equal(writer.events().join(), 'OnIdentifyEx,OnPrepareBackup,OnPrepareSnapshot,OnBackupShutdown', 'events');
      });
      noLeaks(vss);
    },
    async 'a writer that fails and goes on'(vss) {
      await withWriter(vss, { OnPrepareSnapshot: 'warn:80042336' }, async (writer) => {
        equal((await report(vss)).done, `there=1 state=8 failure=80042336 ${busy}`, 'after DoSnapshotSet');
        equal(writer.events().join(), `OnIdentifyEx,${whole.replace('OnBackupComplete,', '')}`, 'events');
      });
    },
    async 'a writer that does not want to be reported'(vss) {
      await withWriter(vss, { OnIdentifyEx: 'false' }, async (writer) => {
        equal((await report(vss)).done.startsWith('there=0'), true, 'it is not there');
        await waitFor(() => writer.lines().includes('OnBackupShutdown ends'), 'BackupShutdown');
        equal(writer.events().join(), 'OnIdentifyEx,OnBackupShutdown', 'events');
      });
    },
    async 'a writer that reports a failure on another thread'(vss) {
      await withWriter(vss, { OnFreeze: 'elsewhere:800423f3' }, async (writer) => {
        equal((await report(vss)).done, `there=1 state=5 ${fine}`, 'after DoSnapshotSet');
        const said = writer.lines().find((line) => line.startsWith('set elsewhere'));
        equal(said, 'set elsewhere 80042301 80042301 volumes=1', 'what it was told');
      });
    },
    async 'a writer that is not thawed in time'(vss) {
      vss.configure({ 'latency.phase.PreCommit': 900 });
      await withWriter(vss, { timeout: 300 }, async (writer) => {
        equal(
          (await report(vss)).done,
          'there=1 state=9 failure=800423f2 application=0 message=',
          'after DoSnapshotSet',
        );
        equal(
          writer.events().join(),
          'OnIdentifyEx,OnPrepareBackup,OnPrepareSnapshot,OnFreeze,OnAbort,OnBackupShutdown',
          'events',
        );
      });
      // Its handler of Freeze alone takes longer.
      vss.configure({});
      await withWriter(vss, { timeout: 300, OnFreeze: 'sleep:2500' }, async (writer) => {
        const { done } = await report(vss);
        equal(done, 'there=1 state=9 failure=800423f2 application=0 message=', 'after DoSnapshotSet');
        const lines = writer.lines().map((line) => line.split(' tid')[0]);
        equal(lines.indexOf('OnFreeze ends') === -1, true, 'OnFreeze goes on while the requester has been answered');
        equal(lines.includes('OnAbort ends'), true, 'OnAbort comes while OnFreeze goes on');
      });
    },
    async 'a writer that is silent'(vss) {
      vss.configure({ writer_patience_ms: 400 });
      await withWriter(vss, { OnPrepareSnapshot: 'sleep:2000' }, async (writer) => {
        equal(
          (await report(vss)).done,
          'there=1 state=8 failure=80042319 application=0 message=',
          'after DoSnapshotSet',
        );
        await waitFor(() => writer.events().includes('OnBackupShutdown'), 'BackupShutdown');
        equal(writer.events().includes('OnFreeze'), false, 'it hears of the freeze');
      });
    },
    async 'a writer that dies'(vss) {
      for (const event of ['OnPrepareBackup', 'OnFreeze', 'OnThaw', 'OnPostSnapshot']) {
        const writer = await startWriter(vss, { [event]: 'die' });
        const start = Date.now();
        const { result, done } = await report(vss);
        equal(result, finished, `result of DoSnapshotSet after its death in ${event}`);
        equal(done.startsWith('there=0'), true, 'it is not there');
        equal(Date.now() - start < 20_000, true, 'its death is noticed at once');
        await writer.ended;
        // The next one does not meet what is left of it.
        equal((await report(vss)).prepared.startsWith('there=0'), true, 'it is not there');
      }
    },
    async 'a writer that unsubscribes while it hears an event'(vss) {
      const writer = await startWriter(vss, { OnFreeze: 'unsubscribe' });
      equal((await report(vss)).done.startsWith('there=0'), true, 'it is not there');
      equal(writer.lines().includes('unsubscribed inside 00000000'), true, 'Unsubscribe comes back');
      equal(writer.events().at(-1), 'OnFreeze', 'last event');
      writer.kill();
      await writer.ended;
    },
    async 'what a writer hears when a backup is given up'(vss) {
      await withWriter(vss, {}, async (writer) => {
        await requester(vss, 'abort-prepared');
        equal(writer.events().join(), 'OnIdentifyEx,OnPrepareBackup,OnAbort,OnBackupShutdown', 'events');
      });
      // When the snapshot is made there is nothing left to abort.
      await withWriter(vss, {}, async (writer) => {
        await requester(vss, 'abort-created');
        equal(writer.events().join(), `OnIdentifyEx,${whole.replace('OnBackupComplete,', '')}`, 'events');
      });
      vss.configure({ 'fault.phase.Commit.1': '0x8004230f' });
      await withWriter(vss, {}, async (writer) => {
        const { result } = await report(vss);
        equal(result, '8004230f', 'result of DoSnapshotSet');
        equal(
          writer.events().join(),
          'OnIdentifyEx,OnPrepareBackup,OnPrepareSnapshot,OnFreeze,OnAbort,OnBackupShutdown',
          'events',
        );
      });
    },
    async 'what a writer hears when the requester dies'(vss) {
      const frozen = 'OnIdentifyEx,OnPrepareBackup,OnPrepareSnapshot,OnFreeze';
      vss.configure({ 'fault.phase.PostCommit.1': 'die' });
      await withWriter(vss, {}, async (writer) => {
        await requester(vss, 'report', { code: 137 });
        await waitFor(() => writer.lines().includes('OnBackupShutdown ends'), 'BackupShutdown');
        equal(writer.events().join(), `${frozen},OnBackupShutdown`, 'events');
        equal(writer.event('OnBackupShutdown').told, writer.event('OnFreeze').set, 'set');
      });
      vss.configure({ 'fault.phase.PostCommit.1': 'die', dead_requester_aborts: true });
      await withWriter(vss, {}, async (writer) => {
        await requester(vss, 'report', { code: 137 });
        await waitFor(() => writer.lines().includes('OnBackupShutdown ends'), 'BackupShutdown');
        equal(writer.events().join(), `${frozen},OnAbort,OnBackupShutdown`, 'events');
      });
      // While COM has not noticed it yet, the limit of the freeze goes on.
      vss.configure({ 'fault.phase.PostCommit.1': 'die', requester_rundown_ms: 1000 });
      await withWriter(vss, { timeout: 300 }, async (writer) => {
        await requester(vss, 'report', { code: 137 });
        await waitFor(() => writer.lines().includes('OnBackupShutdown ends'), 'BackupShutdown');
        equal(writer.events().join(), `${frozen},OnAbort,OnBackupShutdown`, 'events');
      });
    },
    async 'front ends are frozen before what they are built on'(vss) {
      vss.configure({ log: true });
      const back = await startWriter(vss, { level: 2, id: '{5f6d1a3e-0c1b-4c55-9b1c-7a1fb1d0c002}' }, 'back');
      await withWriter(vss, { level: 3, OnFreeze: 'sleep:300' }, () => requester(vss, 'plain'));
      await back.stop();
      const begins = vss.calls().filter(({ method }) => method === 'CVssWriter::OnFreeze');
      equal(begins.length, 2, 'calls of OnFreeze');
      const [front, other] = begins.map(({ startedAtMs }) => startedAtMs);
      equal(other - front >= 300, true, 'the back end waits for the front end');
      equal(begins[0].durationMs >= 300, true, 'the front end comes first');
    },
    async 'a writer of 2003, with its base class in the DLL'(vss) {
      const old = (options, body) => withWriter(vss, options, body, 'old_writer.exe');
      await old({}, async (writer) => {
        await requester(vss, 'plain');
        const [before, early, twice, started] = writer.lines();
        const nothing =
          'set=0 context=0 volumes=0 array=0 affected=00 selected=0 system=0 partial=0 level=0 backup=0 restore=0';
        equal(before, `before ${nothing} device=80004005`, 'before Initialize');
        equal(early, 'early 80004005 80004005', 'Subscribe and Unsubscribe before Initialize');
        equal(twice, 'twice 00000000 80004005', 'Initialize, and once more');
        equal(started, 'started 00000000', 'Subscribe');
        equal(writer.events().join(), 'OnIdentify,OnPrepareSnapshot,OnFreeze,OnThaw,OnPostSnapshot', 'events');
        const { set, volumes, array, affected, selected, level, device } = writer.event('OnPostSnapshot');
        equal([set, volumes, array, affected, selected, level, device].join(), '1,1,1,10,0,2,yes', 'what it is told');
        equal(writer.event('OnFreeze').device, '80042301', 'device before there is one');
      });
      await old({}, async (writer) => {
        await requester(vss, 'components');
        equal(writer.event('OnPrepareSnapshot').selected, '1', 'components are selected');
      });
      await old({ veto: 1 }, async (writer) => {
        const { done } = await report(vss);
        equal(done, 'there=1 state=9 failure=800423f3 application=0 message=', 'after DoSnapshotSet');
        equal(writer.events().at(-1), 'OnAbort', 'last event');
      });
      noLeaks(vss);
    },
    async 'writers built by the rules of another compiler'(vss) {
      if (!fs.existsSync(path.join(programs, 'msvc_writer.exe')))
        throw new Error('not built: clang++ is not installed');
      const ofMicrosoft = (options, body) => withWriter(vss, options, body, 'msvc_writer.exe');
      for (const [kind, identify] of [
        [{}, 'OnIdentify'],
        [{ ex: 1 }, 'OnIdentifyEx'],
      ]) {
        await ofMicrosoft(kind, async (writer) => {
          await requester(vss, 'plain');
          await waitFor(() => writer.events().includes('OnBackupShutdown'), 'BackupShutdown');
          const whole = 'OnPrepareSnapshot,OnFreeze,OnThaw,OnPostSnapshot,OnBackupShutdown';
          equal(writer.events().join(), `${identify},${whole}`, 'events');
          const { set, volumes, affected, other, selected, level, device } = writer.event('OnPostSnapshot');
          const told = [set, Number(volumes), affected, other, selected, Number(level), Number(device)];
          equal(told.join(), '1,1,1,0,0,2,0', 'what it is told');
          equal(writer.event('OnFreeze').device, '80042301', 'device before there is one');
          equal(Object.values(writer.event('OnBackupShutdown')).join(), '1,1', 'the set that BackupShutdown tells');
          await writer.stop();
          equal(writer.lines().slice(-2).join(), 'unsubscribed 00000000,destroyed', 'its end');
        });
        await ofMicrosoft(kind, async (writer) => {
          await requester(vss, 'components');
          equal(writer.event('OnPrepareSnapshot').selected, '1', 'components are selected');
        });
        await ofMicrosoft({ ...kind, veto: 1 }, async (writer) => {
          const { done } = await report(vss);
          equal(done, 'there=1 state=9 failure=800423f3 application=0 message=', 'after DoSnapshotSet');
          equal(writer.event('OnAbort').set, '1', 'the set that is given up');
        });
      }
      noLeaks(vss);
    },
    async 'a writer in another process: what it says of itself'(vss) {
      await withWriter(vss, {}, () => requester(vss, 'metadata'));
      noLeaks(vss);
    },
    async 'a writer in another process: a backup of whole volumes'(vss) {
      await withWriter(vss, {}, async (writer) => {
        await requester(vss, 'plain');
        equal(writer.events().join(), `OnIdentifyEx,${whole}`, 'events');
        const prepared = writer.event('OnPrepareSnapshot');
        equal(prepared.volumes, '1', 'volumes');
        equal(prepared.affected, '10', 'affected of C: and D:');
        equal(prepared.selected, '0', 'components are selected');
        equal(writer.event('OnPrepareBackup').components, 'none', 'components');
        equal(writer.event('OnPrepareBackup').volumes, '0', 'volumes before they are known');
        equal(prepared.set, writer.event('OnPostSnapshot').set, 'set');
        equal(writer.event('OnBackupComplete').set, nullId, 'set after the snapshot');
        equal(writer.event('OnBackupShutdown').told, prepared.set, 'set that BackupShutdown tells');
        const { device } = writer.event('OnPostSnapshot');
        equal(device, '\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy1', 'device');
        const started = /tid=(\d+)/.exec(writer.lines()[0])[1];
        equal(prepared.tid === started, false, 'on the thread that subscribed');
      });
      noLeaks(vss);
    },
    async 'a writer in another process: a backup of its components'(vss) {
      await withWriter(vss, {}, async (writer) => {
        await requester(vss, 'components');
        equal(writer.events().join(), `OnIdentifyEx,${whole}`, 'events');
        equal(writer.event('OnPrepareBackup').components, '1', 'components');
        equal(writer.event('OnPrepareSnapshot').selected, '1', 'components are selected');
      });
      noLeaks(vss);
    },
  };
}

module.exports = { writerTests };
