'use strict';

const { TestEnvironment } = require('jest-environment-node');

/** Jest's context is built by an older list of globals: it lacks the disposal symbols every supported Node has. */
module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of ['dispose', 'asyncDispose']) {
      Object.defineProperty(this.global.Symbol, name, { value: Symbol[name] });
    }
  }
};
