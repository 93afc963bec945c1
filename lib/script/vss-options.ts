import { OptionError } from '../errors/errors';
import { resolveVss, type RequestedAttribute, type VssOptions, type WritersOption } from '../vss/context';
import type { ScriptOption } from './commands';
import type { CreateRequest } from './target';

/** The backup that a script requests, as options of `beginBackup`. */
export interface RequestedBackup {
  readonly lifetime: 'backup' | 'persistent';
  readonly writers: WritersOption;
  readonly vss: VssOptions;
}

const attributes: Readonly<Partial<Record<ScriptOption, RequestedAttribute>>> = {
  differential: 'differential',
  plex: 'plex',
  transportable: 'transportable',
  rollbackrecover: 'rollback-recovery',
  txfrecover: 'txf-recovery',
};

/** Translates a `create`, and rejects with a message what VSS cannot do. Pure: nothing is touched. */
export function requestedBackup(
  request: Pick<CreateRequest, 'context' | 'options' | 'backupType' | 'volumes' | 'writers'>,
): RequestedBackup {
  const { context, options, backupType, volumes, writers } = request;
  const providers = [...new Set(volumes.map(({ providerId }) => providerId))];
  const [providerId = ''] = providers;
  if (providers.length > 1) {
    const message = 'the volumes of one set must all have the same provider, or none: make several sets';
    throw new OptionError('vss.providerId', message);
  }
  const { exclude, verify } = writers;
  const requested: RequestedBackup = {
    lifetime: context.lifetime === 'volatile' ? 'backup' : 'persistent',
    writers: !context.writers ? 'none' : exclude.length + verify.length === 0 ? 'all' : { exclude, verify },
    vss: {
      ...(context.lifetime === 'clientaccessible' && { context: 'client-accessible' }),
      ...(providerId !== '' && { providerId }),
      // Without writers nobody is notified. A restore with writers is one of the components selected here.
      ...(context.writers && { backupType, componentMode: true }),
      attributes: options.flatMap((option) => attributes[option] ?? []),
      ...autoRecovery(context.writers, options),
    },
  };
  resolveVss(requested);
  return requested;
}

/** Scripts must say that they want no auto-recovery; the API must be asked for it. */
function autoRecovery(writers: boolean, options: readonly ScriptOption[]): Pick<VssOptions, 'autoRecovery'> {
  if (options.includes('noautorecover')) return { autoRecovery: false };
  return writers ? { autoRecovery: true } : {};
}
