import { publicCall } from '../call/call';
import { OptionError } from '../errors/errors';
import type { NativeBinding } from '../native/session';
import {
  abortSignal,
  absolutePath,
  boolean,
  checkOptions,
  dominoLocation,
  functionValue,
  nonEmptyString,
  type DominoLocation,
} from '../call/options';
import { stateDirectory } from '../store/state-directory';
import type { ScriptEventListener } from './events';
import { runStatements, type ScriptReport } from './run-statements';
import { decodeScript, readScriptFile, type ScriptSource } from './script-source';
import { VssTarget } from './vss-target';

/** Options of `runScript`. */
export interface RunScriptOptions {
  /**
   * The script: an absolute path, or its text with a name for messages (default: `(script)`). A text given as bytes is decoded
   * like a file.
   */
  readonly script:
    { readonly file: string } | { readonly text: string | Uint8Array; readonly name?: string | undefined };
  /** Only report what would be done; works on every system. Default: false. */
  readonly check?: boolean | undefined;
  /**
   * Continue after a command that is wrong or fails. There is no rehearsal then, and persistent shadow copies of a script that fails
   * are kept. Default: false.
   */
  readonly keepGoing?: boolean | undefined;
  /**
   * Put the databases of the Domino server into backup mode around every `create`; deltas and manifest are then
   * stored next to the metadata. `true`: search for the server in the environment and in the standard locations.
   * Default: false.
   */
  readonly domino?: boolean | DominoLocation | undefined;
  /** Absolute path of the base directory for relative paths in the script. Default: that of the process. */
  readonly workingDirectory?: string | undefined;
  /** Environment of the script and of what `exec` runs. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called for everything that happens. */
  readonly onEvent?: ScriptEventListener | undefined;
}

export function runScript(loadBinding: () => NativeBinding, options: RunScriptOptions): Promise<ScriptReport> {
  return publicCall(async () => {
    checkRunOptions(options);
    const { script, check = false, keepGoing = false, domino = false, signal, onEvent } = options;
    const { workingDirectory = process.cwd(), env = process.env } = options;
    const file = 'file' in script ? script.file : (script.name ?? '(script)');
    return runStatements({
      ...('file' in script ? await readScriptFile(file) : sourceOf(script.text, file)),
      file,
      check,
      keepGoing,
      env,
      workingDirectory,
      signal,
      emit: onEvent ?? (() => undefined),
      createTarget: () =>
        VssTarget.open({
          loadBinding,
          workingDirectory,
          domino: domino === true ? {} : domino === false ? undefined : domino,
          stateDirectory: stateDirectory(env),
          env,
          signal,
        }),
    });
  });
}

function checkRunOptions(options: RunScriptOptions): void {
  checkOptions(options, {
    script: (value, name) => {
      checkOptions(value, { file: absolutePath, text: isText, name: nonEmptyString }, `${name}.`);
    },
    check: boolean,
    keepGoing: boolean,
    domino: (value, name) => {
      if (typeof value !== 'boolean') dominoLocation(value, name);
    },
    workingDirectory: absolutePath,
    env: (value, name) => {
      if (typeof value !== 'object' || value === null) throw new OptionError(name, `${name} must be an object`);
    },
    signal: abortSignal,
    onEvent: functionValue,
  });
  const { script } = options as Partial<RunScriptOptions>;
  if (!script || 'file' in script === 'text' in script) {
    throw new OptionError('script', 'script must have either a file or a text');
  }
}

function sourceOf(text: string | Uint8Array, name: string): ScriptSource {
  return typeof text === 'string' ? { text, isGuess: false } : decodeScript(text, name);
}

function isText(value: unknown, name: string): void {
  if (typeof value === 'string' || value instanceof Uint8Array) return;
  throw new OptionError(name, `${name} must be a string or bytes`);
}
