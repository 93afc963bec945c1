/** The stand-in for the Volume Shadow Copy Service in a Wine prefix. */
export interface Vss {
  /** Directory of the Wine prefix. */
  readonly prefix: string;
  /** Unix path of the settings file every process reads that loads the DLL. */
  readonly settingsFile: string;
  /** Unix path of the default state directory. */
  readonly stateDirectory: string;
  /** What a program must have in its environment to find the stand-in: WINEPREFIX, WINEDLLOVERRIDES, WINEDEBUG, LD_PRELOAD. */
  readonly environment: Readonly<Record<string, string>>;
  /** Replaces all settings (README.md). Processes that run keep what they have read. */
  configure(settings: Readonly<Record<string, string | number | boolean | readonly string[]>>): void;
  /** The shadows that were created; also those whose process died and that nobody has taken away yet. */
  shadows(): VssShadow[];
  /** Names of the shadow devices that exist, with a record or without. */
  devices(): string[];
  /** One entry per process that ended, oldest first: objects alive, texts handed out, rules broken (README.md). */
  reports(): Readonly<Record<string, number>>[];
  /** The call log in the order in which the calls began; empty unless the setting `log` is on. */
  calls(): VssCall[];
  /** Unix path of a Windows path with drive letter; every part in the case it has on disk. */
  unixPath(windowsPath: string): string;
  /** Makes a drive letter of a Unix directory. Name it in the setting `volumes`, too. */
  addDrive(letter: string, directory: string): void;
  /** Forgets shadows, reports, logs and settings. Only while no process uses the DLL. */
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
  /** Drive letter, directory or share; empty when not exposed. */
  readonly exposedName: string;
  /** Unix directory with the contents. */
  readonly contents: string;
}

export interface VssCall {
  readonly pid: number;
  readonly tid: number;
  /** On a clock that all processes of the prefix share. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** `Interface::Method`, with `.async` for the work an IVssAsync stands for. */
  readonly method: string;
  /** HRESULT as an unsigned number. */
  readonly result: number;
}

/**
 * Installs `library` (the built vssapi.dll, with `shadow_guard.so` beside it) into the system32 of an existing prefix. A
 * Wine server that runs in the prefix must be ended before, or it lets writes into shadows pass.
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
