'use strict';

const { inspect } = require('node:util');
const { TestEnvironment } = require('jest-environment-node');

module.exports = class extends TestEnvironment {
  /** Jest's context is built by an older list of globals: it lacks the disposal symbols every supported Node has. */
  async setup() {
    await super.setup();
    for (const name of ['dispose', 'asyncDispose']) {
      Object.defineProperty(this.global.Symbol, name, { value: Symbol[name] });
    }
  }

  /** Before Jest reports a test, which it does from here on as JSON: from its workers, and in the file of its results. */
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
 * What JSON can hold of an error: its text, with its causes and, if it is about a program, with how that ended. Jest would hand
 * on the error itself, and fails at fields that JSON has no words for, such as the errors of child_process, which hold
 * themselves, or large integers.
 */
function reportable(error) {
  // Of what has neither, Jest makes a text itself.
  if (typeof error?.stack !== 'string' && !error?.message) return error;
  const { message, stack = message } = error;
  const [text, ...places] = stack.split(/^(?= +at )/m);
  return { message, stack: [text.trimEnd(), ...endOfProgram(error), places.join(''), ...causes(error)].join('\n') };
}

/** Node.js puts into the message what the program wrote to its standard error output, but not how it ended. */
function endOfProgram({ status, signal, stdout }) {
  if (typeof status !== 'number' && typeof signal !== 'string') return [];
  const output = String(stdout ?? '').trim();
  return [`It ended with ${signal ?? `exit code ${status}`}.`, ...(output === '' ? [] : ['It had printed:', output])];
}

function causes({ cause }) {
  return cause === undefined ? [] : [`Cause: ${inspect(cause)}`];
}
