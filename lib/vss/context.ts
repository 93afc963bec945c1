import { OptionError } from '../errors/errors';
import type { NativeVssOptions } from '../native/vss';
import { boolean, checkOptions, nonEmptyString, oneOf } from '../call/options';
import { attributeBits, backupTypeNumber, contextBits } from './words';
import type { ShadowAttribute, VssBackupType, VssContext } from '../native/vss';
import { guid, normalGuid } from './windows-names';

/**
 * Derives VSS_SNAPSHOT_CONTEXT, attributes and backup state from the options of a backup. Invalid combinations are rejected with
 * a message before anything is touched. Pure.
 */

/** Which writers take part in a shadow, so that the data of their applications is consistent too. */
export type WritersOption =
  /** No writer takes part. The Domino databases need none: the backup API makes them consistent. */
  | 'none'
  /** Every available writer. Domino's own writer never takes part while we hold the databases. */
  | 'all'
  /**
   * Every available writer with exceptions. Writers are identified by name, class id or instance id, components as
   * `Writer:\path\name`.
   */
  | {
      /** Not these. Default: none. */
      readonly exclude?: readonly string[] | undefined;
      /** The backup fails if one of these does not take part. Default: none. */
      readonly verify?: readonly string[] | undefined;
    };

/** Attributes that can be requested. Most of them are for hardware providers. */
export type RequestedAttribute = Extract<
  ShadowAttribute,
  'differential' | 'plex' | 'transportable' | 'rollback-recovery' | 'txf-recovery' | 'not-transacted'
>;

/** Settings of the VSS requester. */
export interface VssOptions {
  /**
   * The context itself, for experts. Default: derived from `lifetime` and `writers`. `file-share-backup` (without writers) and
   * `backup` (with writers) are volatile; `nas-rollback` and `app-rollback` are persistent.
   */
  readonly context?: VssContext | undefined;
  /** Id of the provider. Default: VSS chooses. */
  readonly providerId?: string | undefined;
  /**
   * The kind of backup announced to writers; only with writers. Default: `copy`, which does not affect the backup chains
   * of other programs.
   */
  readonly backupType?: VssBackupType | undefined;
  /** Whether components are selected individually; only with writers. Default: only if `writers` names components. */
  readonly componentMode?: boolean | undefined;
  /** Whether writers include the bootable system state; only with writers. Default: false. */
  readonly bootableSystemState?: boolean | undefined;
  /** Bits that are added to the context. `differential` and `plex` exclude each other. Default: none. */
  readonly attributes?: readonly RequestedAttribute[] | undefined;
  /**
   * Whether writers may change the new shadow until it is complete, to recover their data in it; only with writers. Default:
   * false, or true with the attribute `rollback-recovery` or `txf-recovery`.
   */
  readonly autoRecovery?: boolean | undefined;
  /**
   * When databases leave backup mode. `end`: when `DoSnapshotSet` returns. `thaw`: as soon as VSS reports that the shadow
   * contains everything (the event Thaw), while providers and writers are still finishing it. This event is received by a writer
   * of our own that takes part only in this backup; with `writers: 'none'` it is the only one. Experimental. Default: `end`.
   */
  readonly stopAt?: 'end' | 'thaw' | undefined;
}

/** The settings with which a requester is set up. */
export interface ResolvedVss {
  readonly context: VssContext;
  /** Whether the shadow outlives the session that makes it. */
  readonly persistent: boolean;
  readonly withWriters: boolean;
  readonly backupType: VssBackupType;
  readonly native: NativeVssOptions;
}

/** By persistence and participation of writers. */
const usualContexts = {
  volatile: { none: 'file-share-backup', writers: 'backup' },
  persistent: { none: 'nas-rollback', writers: 'app-rollback' },
} as const satisfies Record<string, Record<string, VssContext>>;

export function resolveVss(options: {
  readonly source?: 'domino' | 'volumes' | undefined;
  readonly lifetime?: 'backup' | 'persistent' | undefined;
  readonly writers?: WritersOption | undefined;
  readonly vss?: VssOptions | undefined;
}): ResolvedVss {
  const { lifetime, writers, vss = {} } = options;
  const stopAtThaw = vss.stopAt === 'thaw';
  // Thaw is only sent in a context with writers; no other writer has to take part in it.
  const onlyThawSignal = stopAtThaw && (writers ?? 'none') === 'none';
  const context =
    vss.context ??
    usualContexts[lifetime === 'persistent' ? 'persistent' : 'volatile'][
      (writers ?? 'none') === 'none' && !stopAtThaw ? 'none' : 'writers'
    ];
  const bits = contextBits[context];
  const persistent = (bits & attributeBits.persistent) !== 0;
  const withWriters = (bits & attributeBits['no-writers']) === 0;
  if (lifetime === 'persistent' && !persistent) {
    const message = `a shadow in the context "${context}" is deleted with the backup, so lifetime cannot be "persistent"; `;
    throw new OptionError('vss.context', `${message}use "nas-rollback" or "app-rollback", or omit vss.context`);
  }
  refuseWrongWriters(context, withWriters, onlyThawSignal ? undefined : writers, vss);
  const attributes = new Set(vss.attributes);
  refuseWrongAttributes(context, attributes, vss.autoRecovery, withWriters);

  const recovering = attributes.has('rollback-recovery') || attributes.has('txf-recovery');
  const autoRecovery = vss.autoRecovery ?? (recovering || !withWriters);
  const { exclude = [], verify = [] } = typeof writers === 'object' ? writers : {};
  const namesComponents = [...exclude, ...verify].some(isComponentName);
  const backupType = vss.backupType ?? 'copy';
  return {
    context,
    // A transportable shadow belongs to no session until it is imported.
    persistent: persistent || attributes.has('transportable'),
    withWriters,
    backupType,
    native: {
      context:
        [...attributes].reduce((sum, word) => sum | attributeBits[word], bits) |
        (autoRecovery ? 0 : attributeBits['no-autorecovery']),
      providerId: vss.providerId === undefined ? '' : normalGuid(vss.providerId),
      backupType: backupTypeNumber(backupType),
      componentMode: withWriters && (vss.componentMode ?? namesComponents),
      bootableSystemState: vss.bootableSystemState ?? false,
      excludeWriters: exclude,
      verifyWriters: verify,
      excludeDomino: options.source !== 'volumes',
      stopAtThaw,
      onlyThawSignal,
    },
  };
}

function refuseWrongWriters(
  context: VssContext,
  withWriters: boolean,
  writers: WritersOption | undefined,
  { backupType, componentMode, bootableSystemState, stopAt }: VssOptions,
): void {
  if (writers === 'none' && withWriters) {
    const message = `writers take part in the context "${context}", so writers cannot be "none"`;
    throw new OptionError('writers', `${message}; use "file-share-backup" or "nas-rollback"`);
  }
  if (withWriters) {
    const components = typeof writers === 'object' && [...(writers.exclude ?? [])].some(isComponentName);
    if (componentMode === false && components) {
      throw new OptionError('vss.componentMode', 'writers.exclude names a component, which needs component mode');
    }
    return;
  }
  if (writers !== undefined && writers !== 'none') {
    const message = `no writer takes part in the context "${context}", so writers must be "none"`;
    throw new OptionError('writers', `${message}; use "backup" or "app-rollback"`);
  }
  if (stopAt === 'thaw') {
    const message = `no writer takes part in the context "${context}", so Thaw is not reported`;
    throw new OptionError('vss.stopAt', `${message}; use "backup" or "app-rollback", or omit vss.context`);
  }
  for (const [name, value] of Object.entries({ backupType, componentMode, bootableSystemState })) {
    if (value) throw new OptionError(`vss.${name}`, `vss.${name} is for writers, and none takes part`);
  }
}

function refuseWrongAttributes(
  context: VssContext,
  attributes: ReadonlySet<RequestedAttribute>,
  autoRecovery: boolean | undefined,
  withWriters: boolean,
): void {
  const refuse = (message: string): OptionError => new OptionError('vss.attributes', message);
  if (attributes.has('differential') && attributes.has('plex')) {
    throw refuse('a shadow is either "differential" or "plex", not both');
  }
  const forClients = (contextBits[context] & attributeBits['client-accessible']) !== 0;
  if (forClients && attributes.has('transportable')) {
    throw refuse(`a shadow in the context "${context}" cannot be "transportable"`);
  }
  for (const attribute of ['rollback-recovery', 'txf-recovery'] as const) {
    if (attributes.has(attribute) && autoRecovery === false) {
      throw refuse(`"${attribute}" is a kind of auto-recovery, which vss.autoRecovery: false forbids`);
    }
  }
  if (autoRecovery && !withWriters) {
    throw new OptionError('vss.autoRecovery', 'auto-recovery is done by writers, and none takes part');
  }
}

/** `Writer:\logical\path\component`. */
function isComponentName(name: string): boolean {
  return name.includes(':\\');
}

const requestedAttributes: readonly RequestedAttribute[] = [
  'differential',
  'plex',
  'transportable',
  'rollback-recovery',
  'txf-recovery',
  'not-transacted',
];

export function checkVss(value: unknown, name: string): void {
  checkOptions(
    value,
    {
      context: oneOf(...Object.keys(contextBits)),
      providerId: guid,
      backupType: oneOf('full', 'incremental', 'differential', 'log', 'copy', 'other'),
      componentMode: boolean,
      bootableSystemState: boolean,
      attributes: arrayOf(oneOf(...requestedAttributes)),
      autoRecovery: boolean,
      stopAt: oneOf('end', 'thaw'),
    },
    `${name}.`,
  );
}

export function checkWriters(value: unknown, name: string): void {
  if (typeof value === 'object' && value !== null) {
    checkOptions(value, { exclude: arrayOf(nonEmptyString), verify: arrayOf(nonEmptyString) }, `${name}.`);
    return;
  }
  if (value !== 'none' && value !== 'all') {
    const expected = '"none", "all", or an object with exclude and verify';
    throw new OptionError(name, `${name} must be ${expected}, got ${JSON.stringify(value)}`);
  }
}

function arrayOf(check: (value: unknown, name: string) => void): (value: unknown, name: string) => void {
  return (value, name) => {
    if (!Array.isArray(value)) throw new OptionError(name, `${name} must be an array`);
    for (const [index, element] of value.entries()) check(element, `${name}[${index}]`);
  };
}
