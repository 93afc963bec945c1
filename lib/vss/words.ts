import type { ShadowAttribute, VssBackupType, VssContext, WriterState } from '../native/vss';

/**
 * Names for the numbers of VSS. The order of a list is the order of the numbers; the names are those of the VSS documentation, in
 * lower case.
 */

/** Bits of VSS_VOLUME_SNAPSHOT_ATTRIBUTES. */
export const attributeBits = {
  persistent: 0x1,
  'no-autorecovery': 0x2,
  'client-accessible': 0x4,
  'no-auto-release': 0x8,
  'no-writers': 0x10,
  transportable: 0x20,
  'not-surfaced': 0x40,
  'not-transacted': 0x80,
  'hardware-assisted': 0x1_0000,
  differential: 0x2_0000,
  plex: 0x4_0000,
  imported: 0x8_0000,
  'exposed-locally': 0x10_0000,
  'exposed-remotely': 0x20_0000,
  autorecover: 0x40_0000,
  'rollback-recovery': 0x80_0000,
  'delayed-postsnapshot': 0x100_0000,
  'txf-recovery': 0x200_0000,
  'file-share': 0x400_0000,
} as const satisfies Record<ShadowAttribute, number>;

export function attributeWords(bits: number): ShadowAttribute[] {
  return (Object.keys(attributeBits) as ShadowAttribute[]).filter((word) => (bits & attributeBits[word]) !== 0);
}

export const contextBits: Readonly<Record<VssContext, number>> = {
  backup: 0x00,
  'file-share-backup': 0x10,
  'app-rollback': 0x09,
  'nas-rollback': 0x19,
  'client-accessible': 0x1d,
  'client-accessible-writers': 0x0d,
};

const contextMask =
  attributeBits.persistent |
  attributeBits['client-accessible'] |
  attributeBits['no-auto-release'] |
  attributeBits['no-writers'];

/** The context in which a shadow was made, derived from its attributes; undefined for an invalid combination. */
export function contextOf(attributes: number): VssContext | undefined {
  const known = Object.entries(contextBits) as [VssContext, number][];
  return known.find(([, bits]) => bits === (attributes & contextMask))?.[0];
}

/** VSS_SNAPSHOT_STATE. */
const shadowStates = [
  'unknown',
  'preparing',
  'processing-prepare',
  'prepared',
  'processing-precommit',
  'precommitted',
  'processing-commit',
  'committed',
  'processing-postcommit',
  'processing-prefinalcommit',
  'prefinalcommitted',
  'processing-postfinalcommit',
  'created',
  'aborted',
  'deleted',
  'postcommitted',
] as const;

/** VSS_SNAPSHOT_STATE; a finished shadow is `created`. */
export type ShadowState = (typeof shadowStates)[number];

/** VSS_WRITER_STATE. */
const writerStates = [
  'unknown',
  'stable',
  'waiting-for-freeze',
  'waiting-for-thaw',
  'waiting-for-post-snapshot',
  'waiting-for-backup-complete',
  'failed-at-identify',
  'failed-at-prepare-backup',
  'failed-at-prepare-snapshot',
  'failed-at-freeze',
  'failed-at-thaw',
  'failed-at-post-snapshot',
  'failed-at-backup-complete',
  'failed-at-pre-restore',
  'failed-at-post-restore',
  'failed-at-backup-shutdown',
] as const satisfies readonly WriterState[];

/** VSS_PROVIDER_TYPE. */
const providerTypes = ['unknown', 'system', 'software', 'hardware', 'file-share'] as const;

/** VSS_PROVIDER_TYPE. */
export type VssProviderType = (typeof providerTypes)[number];

/** VSS_USAGE_TYPE. */
const writerUsages = ['unknown', 'bootable-system-state', 'system-service', 'user-data', 'other'] as const;

/** VSS_USAGE_TYPE: what a writer's data are used for. */
export type WriterUsage = (typeof writerUsages)[number];

/** VSS_SOURCE_TYPE. */
const writerSources = ['unknown', 'transacted-database', 'non-transacted-database', 'other'] as const;

/** VSS_SOURCE_TYPE: what kind of data a writer has. */
export type WriterSource = (typeof writerSources)[number];

/** VSS_COMPONENT_TYPE. */
const componentTypes = ['unknown', 'database', 'file-group'] as const;

/** VSS_COMPONENT_TYPE. */
export type WriterComponentType = (typeof componentTypes)[number];

/** VSS_BACKUP_TYPE. */
export const backupTypes = [
  'undefined',
  'full',
  'incremental',
  'differential',
  'log',
  'copy',
  'other',
] as const satisfies readonly (VssBackupType | 'undefined')[];

/** `unknown` for numbers that a later Windows may add. */
function word<T extends string>(words: readonly ['unknown', ...T[]]): (number: number) => T | 'unknown' {
  return (number) => words[number] ?? 'unknown';
}

export const shadowState = word(shadowStates);
export const writerState = word(writerStates);
export const providerType = word(providerTypes);
export const writerUsage = word(writerUsages);
export const writerSource = word(writerSources);
export const componentType = word(componentTypes);

export function backupTypeNumber(type: VssBackupType): number {
  return backupTypes.indexOf(type);
}
