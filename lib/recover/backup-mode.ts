import { resolve } from 'node:path';
import { noExist } from '../domino/status';
import { DominoVssError, toDatabaseFailure } from '../errors/errors';
import { AbandonedBackup } from '../native/session';
import { isPresent } from '../store/file-identity';
import type { LeftOver } from '../store/left-over';
import type { Items } from './items';
import { fileCallsOf, type RecoveryTools } from './tools';

/** ERR_BACKUP_INPROGRESS */
const backupInProgress = 0x0ea4;

/** Databases in one request. */
const databasesAtOnce = 100;

const advice =
  'Restart the Domino server: that always ends backup mode. Domino also ends it after BACKUP_TIMEOUT ' +
  '(15 minutes). Then run recover again.';

/** Ends the backups that a dead process has left, if Domino lets another process do that. */
export async function endAbandonedBackups(
  databases: readonly string[],
  { dataDirectory }: LeftOver,
  tools: RecoveryTools,
  items: Items,
): Promise<void> {
  if (databases.length === 0) return;
  const { binding, call, budgetMs, openRuntime } = tools;
  const calls = fileCallsOf(tools);
  const [first = ''] = databases;
  const subject = databases.length === 1 ? first : `${databases.length} databases (${first}, …)`;
  const found = 'may be in backup mode';
  const left = new Map<string, { readonly error: DominoVssError; readonly isKnown: boolean }>();
  await items.act(
    { thing: 'backup-mode', subject, found, action: 'backup mode is ended if it is still active', advice },
    async () => {
      await openRuntime();
      let ended = 0;
      for (let from = 0; from < databases.length; from += databasesAtOnce) {
        call.check();
        const paths = databases.slice(from, from + databasesAtOnce);
        const bound = { budgetMs, operation: 'NSFBackupEnd', subject };
        const { states, failures } = await call.bounded(binding.endAbandonedBackups({ paths }), bound);
        ended += states.filter((state) => state === AbandonedBackup.ended).length;
        for (const { index, failure } of failures) {
          const path = paths[index] ?? '';
          const { operation, status, statusHex, text } = toDatabaseFailure(path, failure);
          // The status alone is not believed: Domino also returns it for paths that it cannot reach at the moment.
          const file = resolve(dataDirectory, path);
          if (status === noExist && !(await calls.wait('lstat', file, isPresent(file)).catch(() => true))) continue;
          const error = new DominoVssError('ERR_DATABASE_STUCK', { message: `${operation} ${statusHex}: ${text}` });
          left.set(path, { error, isKnown: status === backupInProgress });
        }
      }
      return `${ended} were in backup mode and no longer are`;
    },
  );
  for (const [database, { error, isKnown }] of left) {
    const still = isKnown ? 'is still in backup mode' : 'may still be in backup mode';
    items.left({ thing: 'backup-mode', subject: database, found: still, advice }, error);
  }
}
