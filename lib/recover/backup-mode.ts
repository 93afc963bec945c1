import { DominoVssError, toDatabaseFailure } from '../errors/errors';
import { AbandonedBackup } from '../native/session';
import type { Items } from './items';
import type { RecoveryTools } from './tools';

/** Databases in one request. */
const databasesAtOnce = 100;

const advice =
  'Restart the Domino server: that always ends backup mode. Domino also ends it after BACKUP_TIMEOUT ' +
  '(15 minutes). Then run recover again.';

/** Ends the backups that a dead process has left, if Domino lets another process do that. */
export async function endAbandonedBackups(
  databases: readonly string[],
  { binding, call, budgetMs, openRuntime }: RecoveryTools,
  items: Items,
): Promise<void> {
  if (databases.length === 0) return;
  const [first = ''] = databases;
  const subject = databases.length === 1 ? first : `${databases.length} databases (${first}, …)`;
  const found = 'may be in backup mode';
  const left = new Map<string, DominoVssError>();
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
          const { operation, statusHex, text } = toDatabaseFailure(paths[index] ?? '', failure);
          const message = `${operation} ${statusHex}: ${text}`;
          left.set(paths[index] ?? '', new DominoVssError('ERR_DATABASE_STUCK', { message }));
        }
      }
      return `${ended} were in backup mode and no longer are`;
    },
  );
  for (const [database, error] of left) {
    items.left({ thing: 'backup-mode', subject: database, found: 'is still in backup mode', advice }, error);
  }
}
