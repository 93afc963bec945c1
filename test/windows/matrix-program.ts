// Backs up plain volumes in one VSS context and reports the result; ends the backup on command.
//
//   node matrix-program.js <delta directory> <JSON: options of beginBackup> <keep|end>
//   node matrix-program.js <delta directory> refused <JSON: list of options that are refused>

import { beginBackup, type BeginBackupOptions, type SetWriter, type ShadowAttribute, type Warning } from '#lib/index';
import { answer, permission } from './lines';

/** The snapshot set of one backup. */
export interface Made {
  readonly setId: string;
  readonly shadows: readonly {
    readonly id: string;
    readonly context: string | undefined;
    readonly attributes: readonly ShadowAttribute[];
    readonly persistent: boolean;
    readonly own: boolean;
    readonly root: string;
  }[];
  readonly writers: readonly Pick<SetWriter, 'name' | 'excluded' | 'state'>[];
  readonly hasDocument: boolean;
}

/** The end of one backup. */
export interface EndOfBackup {
  readonly lifetime: string;
  readonly outcome: string;
  readonly warnings: readonly Warning[];
}

async function backUp(options: BeginBackupOptions, keep: boolean): Promise<void> {
  const backup = await beginBackup(options);
  try {
    const { vss } = await backup.createShadow();
    if (vss === undefined) throw new Error('no description of the set');
    answer({
      setId: vss.setId,
      shadows: vss.shadows.map(({ id, context, attributes, persistent, own, root }) => {
        return { id, context, attributes, persistent, own, root };
      }),
      writers: vss.writers.map(({ name, excluded, state }) => ({ name, excluded, state })),
      hasDocument: vss.componentsDocument !== '',
    } satisfies Made);
    await permission();
    const { lifetime, outcome, warnings } = await backup.endBackup({ keep });
    answer({ lifetime, outcome, warnings } satisfies EndOfBackup);
  } finally {
    await backup.dispose();
  }
}

async function main(): Promise<void> {
  const [deltaDirectory = '', options = '', more = ''] = process.argv.slice(2);
  const backupOf = (cell: object): BeginBackupOptions => ({
    source: 'volumes',
    provider: 'vss',
    deltaDirectory,
    ...cell,
  });
  if (options !== 'refused') {
    await backUp(backupOf(JSON.parse(options) as object), more === 'keep');
    return;
  }
  for (const cell of JSON.parse(more) as object[]) {
    const error: unknown = await beginBackup(backupOf(cell)).catch((thrown: unknown) => thrown);
    answer(error);
  }
}

void main();
