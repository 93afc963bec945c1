// Backs up a Domino server through VSS, copies the databases, exposes the shadow of the data directory, and waits for
// permission before it ends the backup.
//
//   node consistency-program.js <program directory> <notes.ini> <delta directory> <directory for copies> [<options as JSON>]

import { beginBackup, listShadows, type BeginBackupOptions, type ManifestDatabase, type Warning } from '#lib/index';
import { answer, permission } from './lines';

/** Comes first, once for each phase that lasts long enough to be observed. */
export interface Reached {
  readonly phase: string;
}

/** What the test checks. */
export interface Backed {
  /** Clock and columns of the timeline, because JSON has no bigint. */
  readonly originNs: string;
  readonly startCalledMs: readonly number[];
  readonly startReturnedMs: readonly number[];
  readonly databases: readonly ManifestDatabase[];
  readonly skipped: readonly unknown[];
  readonly copies: { readonly directory: string; readonly failures: readonly unknown[] };
  readonly shadows: readonly { readonly volume: string; readonly root: string; readonly devicePath: string }[];
  readonly setIds: readonly string[];
  readonly exposedAs: string;
  /** From the first start to the last stop. */
  readonly windowMs: number;
}

/** What the end of the backup reports, and the shadows that exist then. */
export interface EndedBackup {
  readonly outcome: string;
  readonly provider: string;
  readonly warnings: readonly Warning[];
  readonly left: readonly string[];
}

async function main(): Promise<void> {
  const [programDirectory = '', notesIni = '', deltaDirectory = '', to = '', options = '{}'] = process.argv.slice(2);
  const backup = await beginBackup({
    domino: { programDirectory, notesIni },
    deltaDirectory,
    provider: 'vss',
    lifetime: 'persistent',
    exclude: ['links/dangling.nsf'],
    ...(JSON.parse(options) as Partial<BeginBackupOptions>),
  });
  try {
    let told = '';
    const set = await backup.createShadow({
      onProgress: (progress) => {
        if (progress.type !== 'databases' || progress.phase === told) return;
        told = progress.phase;
        answer({ phase: told } satisfies Reached);
      },
    });
    const copies = await set.copyDatabases({ to });
    const exposedAs = (await set.shadows.find(({ volume }) => volume.startsWith('C:'))?.expose({ as: 'B:' })) ?? '';
    const { originNs, databases: columns } = set.window;
    answer({
      originNs: String(originNs),
      startCalledMs: [...columns.startCalledMs],
      startReturnedMs: [...columns.startReturnedMs],
      databases: [...set.describeDatabases()],
      skipped: set.skipped,
      copies,
      shadows: set.shadows.map(({ volume, root, devicePath }) => ({ volume, root, devicePath })),
      setIds: set.vss?.shadows.map(({ setId }) => setId) ?? [],
      exposedAs,
      windowMs: set.window.windowMs,
    } satisfies Backed);
    await permission();
    const { outcome, provider, warnings } = await backup.endBackup({ keep: false });
    const left = (await listShadows()).map(({ id }) => id);
    answer({ outcome, provider: provider.name, warnings, left } satisfies EndedBackup);
  } finally {
    await backup.dispose();
  }
}

void main();
