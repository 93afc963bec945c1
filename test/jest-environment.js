'use strict';

const { inspect } = require('node:util');
const { TestEnvironment } = require('jest-environment-node');

module.exports = class extends TestEnvironment {
  /** Jest builds its context from an older list of globals, without the disposal symbols that every supported Node.js has. */
  async setup() {
    await super.setup();
    for (const name of ['dispose', 'asyncDispose']) {
      Object.defineProperty(this.global.Symbol, name, { value: Symbol[name] });
    }
  }

  /** Called before Jest reports a test; from here on, reports are JSON: from its workers, and in its result file. */
  handleTestEvent(event) {
    if (event.name !== 'test_done') return;
    event.test.errors = event.test.errors.map((failure) => {
      if (!Array.isArray(failure)) return reportable(failure);
      const [error, origin] = failure;
      return [reportable(error), origin];
    });
  }
};

/**
 * The part of an error that JSON can represent: its text, its causes and, for an error of a program, how that ended. Jest would pass
 * on the error itself, and fails at fields that JSON cannot represent, such as the errors of child_process, which contain
 * themselves, or large integers.
 */
function reportable(error) {
  // If there is neither, Jest makes a text itself.
  if (typeof error?.stack !== 'string' && !error?.message) return error;
  const { message, stack = message } = error;
  const [text, ...places] = stack.split(/^(?= +at )/m);
  return { message, stack: [text.trimEnd(), ...endOfProgram(error), places.join(''), ...causes(error)].join('\n') };
}

/** In Node.js, the message contains the program's standard error output, but not how the program ended. */
function endOfProgram({ status, signal, stdout }) {
  if (typeof status !== 'number' && typeof signal !== 'string') return [];
  const output = String(stdout ?? '').trim();
  return [`It ended with ${signal ?? `exit code ${status}`}.`, ...(output === '' ? [] : ['It had printed:', output])];
}

function causes({ cause }) {
  return cause === undefined ? [] : [`Cause: ${inspect(cause)}`];
}
