import type { ProviderOption } from '../backup/provider';
import type { DominoLocation } from '../call/options';

/** Options of `runDoctor`. */
export interface DoctorOptions {
  /** Where Domino is. Default: found by the environment and in the usual places. */
  readonly domino?: DominoLocation | undefined;
  /** Absolute delta directory of the backups that are planned. Default: what concerns it is not checked. */
  readonly deltaDirectory?: string | undefined;
  /** As in `beginBackup`. */
  readonly shadowDirectory?: string | undefined;
  /** As in `beginBackup`. Default: `auto`. */
  readonly provider?: ProviderOption | undefined;
  /**
   * Also proves that this process and the live server work on the same databases: makes a database through the server,
   * puts it into backup mode, writes to it through the server and looks for change information. Default: false.
   */
  readonly canary?: boolean | undefined;
  /** Default: 120 000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `skipped`: another check that this one needs has failed, or it does not apply here. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** One precondition of a backup. */
export interface DoctorCheck {
  /** For example `user`, `library`, `file system`. */
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found. */
  readonly found: string;
  /** What to do about it; empty when there is nothing to do. */
  readonly advice: string;
}

/** What `runDoctor` found. */
export interface DoctorReport {
  /** The worst status of all checks. */
  readonly outcome: 'ok' | 'warning' | 'failed';
  readonly checks: readonly DoctorCheck[];
}
