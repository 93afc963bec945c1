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
  async function startWriter(vss, options = {}, name = 'writer') {
    const log = vss.unixPath(`C:\\${name}.log`);
    for (const file of [log, `${log}.stop`]) fs.rmSync(file, { force: true });
    const words = Object.entries({ log: `C:\\${name}.log`, ...options }).map(([key, value]) => `${key}=${value}`);
    const child = spawn(wine, [path.join(programs, 'writer.exe'), ...words], {
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
  async function withWriter(vss, options, body) {
    const writer = await startWriter(vss, options);
    try {
      await body(writer);
      await writer.stop();
    } finally {
      writer.kill();
    }
  }

  const whole = 'OnPrepareBackup,OnPrepareSnapshot,OnFreeze,OnThaw,OnPostSnapshot,OnBackupComplete,OnBackupShutdown';

  return {
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
