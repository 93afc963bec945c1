import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Call } from '../call/call';
import type { ProgressReporter } from '../call/progress';
import type { BackupDatabases } from '../domino/databases';
import type { NativeBinding, NativeSession, NativeSessionOptions } from '../native/session';
import type { Costs } from '../store/costs';
import { withFailedWriters } from '../vss/session';
import { withDatabasesOnVolume } from '../vss/unsupported-volume';
import { activityOf } from './activity';
import { databaseTarget, type ShadowPlan } from './shadow-plan';

/** Databases passed to native code in one call. */
const addAtOnce = 500;

/** What a native session is created with. Each attempt to make the shadow has a session of its own. */
export interface SessionSetup {
  readonly binding: NativeBinding;
  readonly options: NativeSessionOptions;
  readonly databases: BackupDatabases;
  readonly plan: ShadowPlan;
  /** Measurements of earlier backups. */
  readonly costs: Costs;
  /** Index of the writer's component for each database; only for a session of the provider `writer`. */
  readonly components?: Uint16Array;
}

export function createSession({ binding, options }: SessionSetup): NativeSession {
  return binding.createSession(options);
}

/** The last part of a file id, `volume:[high.]low`; 0 if there is none. */
function fileNumberOf(fileId: string): bigint {
  return BigInt(/\d+$/.exec(fileId)?.[0] ?? 0);
}

/** Passes the databases to the session and opens them. */
export async function openSession(
  session: NativeSession,
  setup: SessionSetup,
  call: Call,
  progress: ProgressReporter,
): Promise<void> {
  await addDatabases(session, setup, call);
  try {
    await progress.watch(session, () => call.native(session, (timeoutMs) => session.open(timeoutMs)));
  } catch (thrown) {
    throw setup.options.vss ? withDatabasesOnVolume(withFailedWriters(thrown, session), setup.databases) : thrown;
  }
}

export async function addDatabases(session: NativeSession, setup: SessionSetup, call: Call): Promise<void> {
  const { options, databases, plan, costs } = setup;
  const nowMs = Date.now();
  for (let from = 0; from < databases.paths.length; from += addAtOnce) {
    call.check();
    const paths = databases.paths.slice(from, from + addAtOnce);
    session.add({
      paths,
      files: databases.files.slice(from, from + addAtOnce),
      targets: paths.map((_path, offset) => databaseTarget(options.provider, databases, plan, from + offset)),
      costsUs: Uint32Array.from(paths, (path) => costs.get(path)?.costUs ?? 0),
      activity: Float64Array.from(paths, (path, offset) =>
        activityOf(costs.get(path), databases.modifiedMs[from + offset] ?? 0, nowMs),
      ),
      fileNumbers: BigUint64Array.from(paths, (_path, offset) => fileNumberOf(databases.fileIds[from + offset] ?? '')),
      ...(setup.components && {
        volumes: databases.volumeIndex.slice(from, from + addAtOnce),
        components: setup.components.slice(from, from + addAtOnce),
        required: Uint8Array.from(paths, (_path, offset) => (databases.required.has(from + offset) ? 1 : 0)),
      }),
    });
    await nextTurn();
  }
}
