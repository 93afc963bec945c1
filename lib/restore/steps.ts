import prettyBytes from 'pretty-bytes';
import prettyMs from 'pretty-ms';
import { timedateToDate } from '../domino/timedate';
import { counted } from '../errors/counted';
import { isInPlace, newReplicaIdOf, waitMsOf } from './mode';
import type { RestorePlan } from './plan';

/** One step of a restore. */
export type RestoreStep =
  | { readonly type: 'copy'; readonly from: string; readonly to: string; readonly sizeBytes: number }
  | { readonly type: 'apply-delta'; readonly delta: string; readonly to: string }
  /** Opened once, because it belongs to another transaction log: the server then gives it a new instance id. */
  | { readonly type: 'adopt'; readonly file: string }
  | { readonly type: 'take-offline'; readonly file: string; readonly waitMs: number }
  | { readonly type: 'keep-original'; readonly file: string; readonly original: string }
  | { readonly type: 'place'; readonly from: string; readonly to: string }
  | {
      readonly type: 'recover';
      readonly files: readonly string[];
      readonly newDbiid: boolean;
      readonly newReplicaId: boolean;
      /** Only what was committed before this time; ISO 8601, UTC. Null: to the last transaction. */
      readonly until: string | null;
    }
  | { readonly type: 'bring-online'; readonly file: string }
  | { readonly type: 'remove-original'; readonly original: string };

/**
 * The steps of a plan in order. Everything slow and everything that may fail comes before the original is touched: a database is
 * offline only for two renames and its recovery. One recovery handles all databases, because each recovery reads the whole log.
 * See docs/decisions/apply-before-replace.md
 */
export function planSteps({ mode, pointInTime, databases }: RestorePlan): RestoreStep[] {
  const inPlace = isInPlace(mode);
  const online = mode.type === 'online';
  const steps: RestoreStep[] = [];
  for (const { database, source, temporary, delta, adopt } of databases) {
    steps.push({ type: 'copy', from: source, to: temporary, sizeBytes: database.startSizeBytes });
    if (delta !== '') steps.push({ type: 'apply-delta', delta, to: temporary });
    if (adopt) steps.push({ type: 'adopt', file: temporary });
  }
  for (const { file, temporary, original } of databases) {
    if (online) steps.push({ type: 'take-offline', file, waitMs: waitMsOf(mode) });
    if (inPlace) steps.push({ type: 'keep-original', file, original });
    steps.push({ type: 'place', from: temporary, to: file });
  }
  const files = databases.filter(({ recover }) => recover).map(({ file }) => file);
  if (files.length > 0) {
    const newDbiid = !inPlace || pointInTime !== undefined;
    const until = (pointInTime && timedateToDate(pointInTime)?.toISOString()) ?? null;
    steps.push({ type: 'recover', files, newDbiid, newReplicaId: newReplicaIdOf(mode), until });
  }
  for (const { file, original } of databases) {
    if (online) steps.push({ type: 'bring-online', file });
    if (inPlace) steps.push({ type: 'remove-original', original });
  }
  return steps;
}

/** One readable line. */
export function describeStep(step: RestoreStep): string {
  switch (step.type) {
    case 'copy':
      return `copy ${prettyBytes(step.sizeBytes)} of ${step.from} to ${step.to}`;
    case 'apply-delta':
      return `apply ${step.delta} to ${step.to}`;
    case 'adopt':
      return `open ${step.file}: it belongs to another transaction log, and gets a new instance id in this one`;
    case 'take-offline':
      return `take ${step.file} offline, waiting up to ${prettyMs(step.waitMs)}`;
    case 'keep-original':
      return `rename ${step.file} to ${step.original}, if it exists`;
    case 'place':
      return `rename ${step.from} to ${step.to}`;
    case 'recover':
      return `recover ${counted(step.files.length, 'logged database')} in one scan of the log${step.until === null ? '' : ` up to ${step.until}`}${step.newDbiid ? ', with new instance ids' : ''}${step.newReplicaId ? ' and new replica ids' : ''}`;
    case 'bring-online':
      return `bring ${step.file} online`;
    case 'remove-original':
      return `remove ${step.original}`;
  }
}
