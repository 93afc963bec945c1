/** The stand-in for the Volume Shadow Copy Service in a Wine prefix. */
export interface Vss {
  /** Directory of the Wine prefix. */
  readonly prefix: string;
  /** Unix path of the settings file every process reads that loads the DLL. */
  readonly settingsFile: string;
  /** Unix path of the default state directory. */
  readonly stateDirectory: string;
  /** The environment variables that a program needs to use the stand-in: WINEPREFIX, WINEDLLOVERRIDES, WINEDEBUG, LD_PRELOAD. */
  readonly environment: Readonly<Record<string, string>>;
  /** Replaces all settings (README.md). Running processes keep the settings they have read. */
  configure(settings: Readonly<Record<string, string | number | boolean | readonly string[]>>): void;
  /** The existing shadows, including those whose process has died and that were not removed yet. */
  shadows(): VssShadow[];
  /** Names of the existing shadow devices, with or without a record. */
  devices(): string[];
  /** One entry per process that ended, oldest first: live objects, strings handed out, violated rules (README.md). */
  reports(): Readonly<Record<string, number>>[];
  /** The call log, ordered by the start of the calls; empty unless the setting `log` is on. */
  calls(): VssCall[];
  /** The Unix path of a Windows path with drive letter, with the case of each component as on disk. */
  unixPath(windowsPath: string): string;
  /** Maps a drive letter to a Unix directory. Also add it to the setting `volumes`. */
  addDrive(letter: string, directory: string): void;
  /** Deletes shadows, reports, logs and settings. Call it only while no process uses the DLL. */
  reset(): void;
}

export interface VssShadow {
  /** GUID with braces, in lower case. */
  readonly id: string;
  readonly setId: string;
  /** `\\?\Volume{…}\`. */
  readonly volume: string;
  /** VSS_VOLUME_SNAPSHOT_ATTRIBUTES. */
  readonly attributes: number;
  readonly persistent: boolean;
  /** Drive letter, directory or share; empty if not exposed. */
  readonly exposedName: string;
  /** Unix directory with the contents. */
  readonly contents: string;
}

export interface VssCall {
  readonly pid: number;
  readonly tid: number;
  /** On a clock shared by all processes of the prefix. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** `Interface::Method`, with `.async` for the work of an IVssAsync. */
  readonly method: string;
  /** HRESULT as an unsigned number. */
  readonly result: number;
}

/**
 * Installs `library` (the built vssapi.dll, with `shadow_guard.so` beside it) into the system32 of an existing prefix.
 * Stop a Wine server that runs in the prefix first; otherwise it allows writes to shadows.
 */
export function installVss(options: { readonly prefix: string; readonly library: string }): Vss;

/** Runs a Windows program to its end; after `timeoutMs` (default 60 000) it is killed. */
export function runUnderWine(options: {
  /** The wine64 program. */
  readonly wine: string;
  readonly vss: Vss;
  /** Unix path. */
  readonly program: string;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}): Promise<{
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}>;
