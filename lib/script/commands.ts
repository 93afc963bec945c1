import type { Word } from './lexer';

/** `set context`: which shadow copies `create` makes. */
export interface ScriptContext {
  readonly lifetime: 'volatile' | 'persistent' | 'clientaccessible';
  /** Whether writers take part. */
  readonly writers: boolean;
}

/** The words of `set option`. */
export const scriptOptions = [
  'differential',
  'plex',
  'transportable',
  'rollbackrecover',
  'txfrecover',
  'noautorecover',
] as const;

/** A word of `set option`. */
export type ScriptOption = (typeof scriptOptions)[number];

/** How much `list writers` shows. */
export type WriterDetail = 'summary' | 'metadata' | 'detailed' | 'status';

/** The selection of `delete shadows`, as written. */
export type WrittenSelector =
  { readonly by: 'all' } | { readonly by: 'volume' | 'oldest' | 'set' | 'id' | 'exposed'; readonly what: Word };

/** One command of a script, with its variables not yet replaced. */
export type ScriptCommand =
  | { readonly type: 'show-settings' }
  | { readonly type: 'set-context'; readonly context: ScriptContext }
  /** `set context transportable`, which means the option of that name. */
  | { readonly type: 'set-context-transportable' }
  | { readonly type: 'set-option'; readonly options: readonly ScriptOption[] }
  | { readonly type: 'set-metadata'; readonly file: Word }
  | { readonly type: 'set-verbose'; readonly on: boolean }
  | { readonly type: 'load-metadata'; readonly file: Word }
  | { readonly type: 'reset' }
  | { readonly type: 'list-writers'; readonly detail: WriterDetail }
  | { readonly type: 'list-shadows'; readonly by: 'all' }
  | { readonly type: 'list-shadows'; readonly by: 'set' | 'id'; readonly what: Word }
  | { readonly type: 'list-providers' }
  | { readonly type: 'begin-backup' }
  | { readonly type: 'end-backup' }
  | { readonly type: 'begin-restore' }
  | { readonly type: 'end-restore' }
  | { readonly type: 'simulate-restore' }
  | { readonly type: 'show-added' }
  | { readonly type: 'add-volume'; readonly volume: Word; readonly alias?: Word; readonly provider?: Word }
  | { readonly type: 'add-alias'; readonly name: Word; readonly value: Word }
  | { readonly type: 'writer'; readonly rule: 'verify' | 'exclude'; readonly writer: readonly Word[] }
  | { readonly type: 'create' }
  | { readonly type: 'import' }
  | { readonly type: 'exec'; readonly file: Word }
  | { readonly type: 'expose'; readonly shadow: Word; readonly place: Word }
  | { readonly type: 'unexpose'; readonly what: Word }
  | { readonly type: 'break'; readonly set: Word; readonly writable: boolean }
  | { readonly type: 'mask'; readonly set: Word }
  | { readonly type: 'delete-shadows'; readonly selector: WrittenSelector }
  | { readonly type: 'revert'; readonly shadow: Word }
  | { readonly type: 'help' }
  | { readonly type: 'exit' };

/** A command and its place. */
export interface Statement {
  readonly command: ScriptCommand;
  readonly line: number;
  readonly column: number;
  /** The line without comments and surrounding spaces. */
  readonly text: string;
}
