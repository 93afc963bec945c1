// Backs up a Domino server through VSS, copies the databases, exposes the shadow of the data directory, and waits for
// permission before it ends the backup.
//
//   node consistency-program.js <program directory> <notes.ini> <delta directory> <directory for copies>

import { beginBackup, listShadows, type ManifestDatabase } from '#lib/index';
import { answer, permission } from './lines';

/** What the test has to judge. */
export interface Backed {
  /** Clock and columns of the timeline; JSON has no bigint. */
  readonly originNs: string;
  readonly startCalledMs: readonly number[];
  readonly startReturnedMs: readonly number[];
  readonly databases: readonly ManifestDatabase[];
  readonly skipped: readonly unknown[];
  readonly copies: { readonly directory: string; readonly failures: readonly unknown[] };
  readonly shadows: readonly { readonly volume: string; readonly root: string; readonly devicePath: string }[];
  readonly setIds: readonly string[];
  readonly exposedAs: string;
}

/** What the end of the backup has said, and which shadows there are then. */
export interface EndedBackup {
  readonly outcome: string;
  readonly provider: string;
  readonly warnings: readonly string[];
  readonly left: readonly string[];
}

async function main(): Promise<void> {
  const [programDirectory = '', notesIni = '', deltaDirectory = '', to = ''] = process.argv.slice(2);
  const backup = await beginBackup({
    domino: { programDirectory, notesIni },
    deltaDirectory,
    provider: 'vss',
    lifetime: 'persistent',
    exclude: ['links/dangling.nsf'],
  });
  try {
    const set = await backup.createShadow();
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
