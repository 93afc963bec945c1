import { Call } from '../call/call';
import { abortSignal, absolutePath, checkOptions, milliseconds, type Check } from '../call/options';
import { loadManifest, type Manifest } from '../store/manifest';
import { readVerifyingKey } from '../store/signature';

/** Options common to all calls that extract something from one backup. */
export interface OneBackupOptions {
  /** Absolute path of a manifest, or of the directory of its backup. */
  readonly manifest: string;
  /** Absolute path of an Ed25519 public key (PEM): the backup must be signed with its private key. Default: no signature is required. */
  readonly requireSignature?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface OneBackupCall<Options> {
  /** Required options of this call alone. */
  readonly required: { readonly [Name in keyof Options]?: Check };
  /** Optional options of this call alone. */
  readonly optional: { readonly [Name in keyof Options]?: Check };
  readonly usualTimeoutMs: number;
}

/** Checks the options of a call, and reads the manifest of its backup. */
export async function openBackup<Options extends OneBackupOptions & { readonly timeoutMs?: number | undefined }>(
  options: Options,
  { required, optional, usualTimeoutMs }: OneBackupCall<Options>,
): Promise<{ readonly head: Manifest; readonly call: Call }> {
  const needed: Readonly<Record<string, Check>> = { manifest: absolutePath, ...required };
  const common = { requireSignature: absolutePath, timeoutMs: milliseconds, signal: abortSignal };
  checkOptions(options, { ...needed, ...common, ...optional });
  for (const [name, check] of Object.entries(needed)) check(options[name as keyof Options], name);
  const { manifest, requireSignature, signal, timeoutMs = usualTimeoutMs } = options;
  const call = new Call({ signal, timeoutMs, phase: 'restore' });
  // With a time limit: either may be on a mount that does not respond.
  const key =
    requireSignature === undefined
      ? undefined
      : await call.race(readVerifyingKey(requireSignature, 'requireSignature'));
  const head = await call.race(loadManifest(manifest, key));
  return { head, call };
}
