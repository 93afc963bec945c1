import { secondOf, type ListedBackup } from '../store/backups';

/** A backup whose manifest can be read. */
export type WholeBackup = Extract<ListedBackup, { readonly state: 'complete' | 'partial' }>;

export function isWhole(backup: ListedBackup): backup is WholeBackup {
  return 'manifest' in backup;
}

/** Ids of the backups that hold the databases which this one carried over. */
export function linksOf({ manifest }: WholeBackup): readonly string[] {
  return manifest.incremental?.links.map(({ id }) => id) ?? [];
}

/**
 * The backups that the kept ones build on, each with the newest backup that needs it. What those build on is kept as well:
 * without it, a backup would be listed as complete but could not be restored.
 */
export function needed(backups: readonly WholeBackup[], stays: (backup: WholeBackup) => boolean): Map<string, string> {
  const builders = new Map<string, string>();
  for (let staying = backups.filter(stays); staying.length > 0;) {
    const found = new Map<string, string>();
    for (const backup of staying) for (const id of linksOf(backup)) if (!builders.has(id)) found.set(id, backup.id);
    for (const [id, builder] of found) builders.set(id, builder);
    staying = backups.filter(({ id }) => found.has(id));
  }
  return builders;
}

/** Why a backup stays although no rule keeps it: a later manifest is damaged, and only that one says what it builds on. */
export function doubtsAbout(listed: readonly ListedBackup[]): (id: string) => string | undefined {
  const damaged = listed.flatMap((backup) => (backup.state === 'damaged' ? [backup] : []));
  return (id) => {
    const later = damaged.find((backup) => secondOf(backup.id) >= secondOf(id));
    if (!later) return undefined;
    return `backup ${later.id}, which is damaged, may build on it (${later.reason}): remove ${later.directory} if nobody needs it`;
  };
}
