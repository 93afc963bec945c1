import { Call, publicCall } from '../call/call';
import { doctorChecks, type DoctorContext } from './checks';
import { failed, type DoctorCheck, type DoctorOptions, type DoctorReport } from './check';
import { toPublicError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import {
  abortSignal,
  absolutePath,
  boolean,
  checkOptions,
  dominoLocation,
  isolationOption,
  milliseconds,
} from '../call/options';
import { checkProvider } from '../backup/provider';

/** Tests every precondition. A precondition that is not met is a result, not an error. */
export function runDoctor(loadBinding: () => NativeBinding, options: DoctorOptions = {}): Promise<DoctorReport> {
  return publicCall(async () => {
    checkOptions(options, {
      domino: dominoLocation,
      deltaDirectory: absolutePath,
      shadowDirectory: absolutePath,
      provider: checkProvider,
      canary: boolean,
      timeoutMs: milliseconds,
      isolation: isolationOption,
      signal: abortSignal,
    });
    const call = new Call({ signal: options.signal, timeoutMs: options.timeoutMs ?? 120_000, phase: 'probe' });
    const context: DoctorContext = { options, loadBinding, call };
    const checks: DoctorCheck[] = [];
    for (const [name, check] of doctorChecks) {
      call.check();
      try {
        checks.push({ name, ...(await check(context)) });
      } catch (thrown) {
        call.check();
        const error = toPublicError(thrown);
        checks.push({ name, ...failed(error.code, error.message, error.hint) });
      }
    }
    const worst = (['failed', 'warning'] as const).find((status) => checks.some((check) => check.status === status));
    return { outcome: worst ?? 'ok', checks };
  });
}
