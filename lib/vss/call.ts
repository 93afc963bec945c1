import { Call, publicCall } from '../call/call';
import { runOnWindows, ShadowError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import type { NativeVss } from '../native/vss';
import { abortSignal, checkOptions, milliseconds, type Check } from '../call/options';

/** Options of every call of the shadow administration. */
export interface VssCallOptions {
  /** Default: 120 000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The part of the binding that calls VSS. Throws if there is none, with `hint` as advice. */
export function requireVss(binding: NativeBinding, hint: string = runOnWindows): NativeVss {
  if (binding.vss) return binding.vss;
  const message = 'the Volume Shadow Copy Service exists on Windows only';
  throw new ShadowError('ERR_UNSUPPORTED', { provider: 'vss' }, { message, hint, phase: 'shadow' });
}

/** Advice for a backup or a check that asked for VSS where there is none. */
export const otherProvider = `${runOnWindows} Here, choose another provider.`;

/** Checks the options of one public call and runs it with its deadline and signal. */
export function vssCall<Options extends VssCallOptions, Result>(
  loadBinding: () => NativeBinding,
  options: Options,
  checks: Readonly<Record<Exclude<keyof Options & string, keyof VssCallOptions>, Check>>,
  body: (work: { readonly binding: NativeBinding; readonly vss: NativeVss; readonly call: Call }) => Promise<Result>,
): Promise<Result> {
  return publicCall(async () => {
    checkOptions(options, { ...checks, timeoutMs: milliseconds, signal: abortSignal });
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 120_000, phase: 'shadow' });
    const binding = loadBinding();
    return body({ binding, vss: requireVss(binding), call });
  });
}
