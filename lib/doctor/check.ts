import type { ProviderOption } from '../backup/provider';
import type { DominoLocation, Isolation } from '../call/options';
import type { ErrorCode } from '../errors/codes';
import type { WarningCode } from '../errors/warnings';

/** Options of `runDoctor`. */
export interface DoctorOptions {
  /** Where Domino is. Default: searched for in the environment and in the standard locations. */
  readonly domino?: DominoLocation | undefined;
  /** Absolute path of the delta directory of the planned backups. Default: checks that concern it are skipped. */
  readonly deltaDirectory?: string | undefined;
  /** As in `beginBackup`. */
  readonly shadowDirectory?: string | undefined;
  /** As in `beginBackup`. Default: `auto`. */
  readonly provider?: ProviderOption | undefined;
  /**
   * Also proves that this process and the live server use the same databases: creates a database through the server,
   * puts it into backup mode, writes to it through the server and looks for change information. Default: false.
   */
  readonly canary?: boolean | undefined;
  /** Default: 120 000. */
  readonly timeoutMs?: number | undefined;
  /** Which process loads Domino: this one (`none`, the default), or one started for this call (`process`). */
  readonly isolation?: Isolation | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `skipped`: a check that this one depends on has failed, or it does not apply here. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** The result for one precondition of a backup. */
export interface DoctorCheck {
  /** For example `user`, `library`, `file system`. */
  readonly name: string;
  readonly status: CheckStatus;
  /** Why: a warning code or, for a failed check, an error code; empty for `ok` and `skipped`. */
  readonly code: WarningCode | ErrorCode | '';
  /** What was found. */
  readonly found: string;
  /** What to do about it; empty if there is nothing to do. */
  readonly advice: string;
}

/** What `runDoctor` found. */
export interface DoctorReport {
  /** The worst status of all checks. */
  readonly outcome: 'ok' | 'warning' | 'failed';
  readonly checks: readonly DoctorCheck[];
}

/** The result of a check. */
export type Finding = Omit<DoctorCheck, 'name'>;

export const ok = (found: string, advice = ''): Finding => ({ status: 'ok', code: '', found, advice });
export const skipped = (found: string): Finding => ({ status: 'skipped', code: '', found, advice: '' });

export const warned = (code: WarningCode, found: string, advice: string): Finding => ({
  status: 'warning',
  code,
  found,
  advice,
});

export const failed = (code: ErrorCode, found: string, advice: string): Finding => ({
  status: 'failed',
  code,
  found,
  advice,
});
