import { readdirSync } from 'node:fs';
import { heldDatabases } from '../whole-server';
import { History, type LiveDatabase } from './history';
import type { Mutation } from './mutation';
import type { Case, Operation } from './operations';
import { Restoring } from './restoring';
import type { CaseServer } from './server';
import type { Tally } from './tally';
import { violated } from './violation';

interface CaseTools {
  readonly server: CaseServer;
  readonly tally: Tally;
  readonly mutation: Mutation | undefined;
}

/** Runs a case on databases that no case has used. Throws violations; false if the server has no databases left. */
export async function runCase({ past, backup, future, restore }: Case, tools: CaseTools): Promise<boolean> {
  const { server, tally } = tools;
  const next = server.nextDatabases();
  if (!next) return false;
  using history = new History(server, next.number, next.paths);
  const run = new CaseRun(history, tools);
  await history.observe();
  for (const operation of [...past, backup, ...future, restore]) {
    await run.perform(operation);
    // Each check starts a process. Backups and restores check for themselves, and the other operations do not change databases.
    if (changesDatabases.has(operation.type)) await history.observe();
  }
  await run.expectUsable();
  tally.cases += 1;
  return true;
}

const changesDatabases: ReadonlySet<Operation['type']> = new Set(['write', 'compact', 'fixup', 'replace', 'destroy']);

class CaseRun {
  readonly #restoring: Restoring;

  constructor(
    private readonly history: History,
    private readonly tools: CaseTools,
  ) {
    this.#restoring = new Restoring(history, tools.tally, tools.mutation);
  }

  async perform(operation: Operation): Promise<void> {
    const { history } = this;
    const { server } = history;
    switch (operation.type) {
      case 'write':
        return this.#ifThere(operation.database, ({ path }) => server.users.run(path, operation.transactions));
      case 'backup': {
        const taken = await history.backUp(operation);
        if (taken) this.tools.tally.countBackup(operation.incremental ? 'incremental' : 'full');
        return;
      }
      case 'restore':
        return this.#restoring.run(operation);
      case 'archive':
        return history.archive();
      case 'prune-logs':
        return history.pruneLogs();
      case 'prune-backups':
        return history.pruneBackups(operation.keep);
      case 'fill':
        return server.fillLog(operation.extents);
      case 'compact':
        return this.#ifThere(operation.database, async ({ path }) => {
          await server.users.flushCache();
          await server.users.compact(path, { style: 'copy' });
        });
      case 'fixup':
        return this.#ifThere(operation.database, ({ path }) => server.users.fixup(path));
      case 'replace': {
        const database = history.database(operation.database);
        const source = operation.by === 'own' ? database : history.database(operation.database + 1);
        return history.replace(database, source.path, operation.backup);
      }
      case 'destroy':
        return history.destroy(history.database(operation.database), operation.how);
    }
  }

  /** The server refuses what was destroyed. */
  async #ifThere(number: number, act: (database: LiveDatabase) => Promise<void>): Promise<void> {
    const database = this.history.database(number);
    if (database.state !== undefined) await act(database);
  }

  /** Users can write to every existing database, and nothing of the work is left. */
  async expectUsable(): Promise<void> {
    const { databases, server } = this.history;
    for (const { path, state } of databases) if (state !== undefined) await server.users.run(path, 1);
    await this.history.observe();
    const held = await heldDatabases(server.domino);
    if (held.length > 0) violated(held.join(', '));
    for (const directory of new Set(databases.map(({ path }) => server.inData(path).replace(/[^/\\]*$/, '')))) {
      const left = readdirSync(directory).filter((name) => name.includes('domino-vss'));
      if (left.length > 0) violated(`left in ${directory}: ${left.join(', ')}`);
    }
  }
}
