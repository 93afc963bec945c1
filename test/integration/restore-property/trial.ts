import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listArchivedLogs } from '#lib/index';
import { dateToTimedate, unidBytes } from '#lib/domino/timedate';
import { loadBinding } from '#lib/native/binding';
import type { History, TakenBackup } from './history';
import type { TargetTime } from './target';

interface Trial {
  readonly taken: TakenBackup;
  readonly path: string;
  /** What the model expects. */
  readonly chain: string;
  readonly time: TargetTime;
  readonly logArchive: string | undefined;
}

/** Whether Domino recovers a refused database if the check beforehand is skipped. */
export async function recoversAllTheSame(history: History, trial: Trial): Promise<boolean> {
  const { taken, path, chain, time, logArchive } = trial;
  const line = taken.lines.find((one) => one.path === path);
  const holder = history.backups.find(({ head }) => head.id === (line?.from ?? taken.head.id));
  if (!line?.copy || !holder) return false;
  const file = history.server.inData('trial/one.nsf');
  mkdirSync(dirname(file), { recursive: true });
  try {
    copyFileSync(join(holder.head.copies?.directory ?? '', line.copy.file), file);
    await loadBinding().recoverDatabases({
      files: [file],
      newDbiid: true,
      newReplicaId: false,
      pointInTime: time.beforeMs === undefined ? undefined : dateToTimedate(new Date(time.beforeMs)),
      extents: await extentsOf(logArchive),
    });
    const [verdict] = await history.server.examine([file]);
    return verdict?.verdict === 'consistent' && verdict.chain === chain;
  } catch {
    return false;
  } finally {
    rmSync(dirname(file), { recursive: true, force: true });
  }
}

async function extentsOf(logArchive: string | undefined) {
  if (logArchive === undefined) return [];
  const logs = await listArchivedLogs({ archiveDirectory: logArchive });
  return logs.flatMap(({ logId, directory, extents }) =>
    extents.map(({ number, name, sizeBytes }) => ({
      logId: unidBytes(logId),
      number,
      sizeBytes,
      file: join(directory, name),
    })),
  );
}
