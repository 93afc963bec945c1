import type { Progress } from '../call/progress';
import type { VssProvider } from '../vss/providers';
import type { Writer } from '../vss/writers';
import type { ScriptContext, ScriptOption, WriterDetail } from './commands';
import type { ScriptProblem } from './problem';
import type { ScriptShadow } from './target';
import type { Warning } from '../errors/warnings';

/** What happens while a script runs, in order. A union over `type`; new types may be added in minor versions. */
export type ScriptEvent =
  /** A command begins. */
  | { readonly type: 'command'; readonly file: string; readonly line: number; readonly text: string }
  /** `%name%` was replaced in the command. */
  | { readonly type: 'expanded'; readonly name: string; readonly value: string }
  /** `create`, `import` or `load metadata` has set an alias. */
  | { readonly type: 'alias'; readonly name: string; readonly value: string; readonly of: 'shadow' | 'set' | 'value' }
  /** Something was done differently from what the script says, or there was nothing to do. */
  | { readonly type: 'note'; readonly message: string }
  /** Something the user should know. */
  | ({ readonly type: 'warning' } & Warning)
  /** Only with `set verbose on`. */
  | { readonly type: 'detail'; readonly message: string }
  /** Progress of a long step. */
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'help'; readonly forms: readonly { readonly usage: string; readonly summary: string }[] }
  | {
      readonly type: 'settings';
      readonly context: ScriptContext;
      readonly options: readonly ScriptOption[];
      readonly metadata: string;
      readonly verbose: boolean;
      readonly backup: 'copy' | 'full';
    }
  | {
      readonly type: 'added';
      readonly volumes: readonly { readonly volume: string; readonly alias: string; readonly providerId: string }[];
      readonly aliases: readonly { readonly name: string; readonly value: string }[];
    }
  /** `create` has made a set. */
  | { readonly type: 'created'; readonly setId: string; readonly shadows: readonly ListedAs[] }
  /** `list shadows` or `import`. */
  | { readonly type: 'shadows'; readonly title: string; readonly shadows: readonly ListedAs[] }
  | { readonly type: 'writers'; readonly detail: WriterDetail; readonly writers: readonly Writer[] }
  | { readonly type: 'providers'; readonly providers: readonly VssProvider[] }
  | { readonly type: 'metadata'; readonly action: 'written' | 'loaded'; readonly file: string }
  | { readonly type: 'exposed'; readonly id: string; readonly as: string }
  | { readonly type: 'unexposed'; readonly as: string }
  | { readonly type: 'deleted'; readonly shadows: readonly ListedAs[] }
  | { readonly type: 'broken'; readonly setId: string; readonly how: 'read-only' | 'writable' | 'mask' }
  | { readonly type: 'backup'; readonly action: 'begun' | 'completed' }
  | {
      readonly type: 'restore';
      readonly action: 'begun' | 'ended' | 'simulated';
      readonly writers: readonly { readonly id: string; readonly name: string; readonly present: boolean }[];
    }
  | { readonly type: 'reverted'; readonly id: string; readonly volume: string }
  /** A piece of output from a script file run by `exec`. */
  | { readonly type: 'output'; readonly text: string }
  | { readonly type: 'executed'; readonly file: string; readonly exitCode: number }
  /** The script failed or was interrupted, and these persistent shadow copies that it made still exist. */
  | { readonly type: 'left'; readonly shadows: readonly LeftShadow[] }
  /** With `check`: what would be done. */
  | { readonly type: 'plan'; readonly text: string }
  /** A command is wrong or has failed. */
  | ({ readonly type: 'problem' } & ScriptProblem);

/** A shadow copy with the aliases of its id and of the id of its set; empty for none. */
export interface ListedAs {
  readonly shadow: ScriptShadow;
  readonly alias: string;
  readonly setAlias: string;
}

/** A persistent shadow copy that a script left behind. */
export interface LeftShadow {
  readonly id: string;
  readonly setId: string;
  /** Mount point of its volume, or the volume name. */
  readonly volume: string;
  /** Where the script exposed it; empty if it did not. */
  readonly exposedAs: string;
}

/** Called for each event. */
export type ScriptEventListener = (event: ScriptEvent) => void;
