import type { ScriptContext, ScriptOption } from './commands';
import type { CreateRequest } from './target';

/** What `set` has set. */
export interface Settings {
  readonly context: ScriptContext;
  readonly options: readonly ScriptOption[];
  /** Absolute path; empty for a generated name in the working directory. */
  readonly metadataFile: string;
  readonly verbose: boolean;
}

const defaults: Settings = {
  context: { lifetime: 'volatile', writers: true },
  options: [],
  metadataFile: '',
  verbose: false,
};

const noRules: CreateRequest['writers'] = { exclude: [], verify: [] };

/** What the next `create` uses: the settings of `set`, and the rules of `writer`. */
export class ScriptSettings {
  #current = defaults;
  #writers = noRules;

  get current(): Settings {
    return this.#current;
  }

  get writers(): CreateRequest['writers'] {
    return this.#writers;
  }

  set(changed: Partial<Settings>): void {
    this.#current = { ...this.#current, ...changed };
  }

  addRule(rule: 'exclude' | 'verify', writer: string): void {
    this.#writers = { ...this.#writers, [rule]: [...this.#writers[rule], writer] };
  }

  reset(): void {
    this.#current = defaults;
    this.#writers = noRules;
  }
}
