/**
 * Imported first by index.ts. A bundler that puts this package into an ES module takes `__dirname` and `require` from it, and the first
 * module that uses them would fail with an error that says nothing about the cause.
 */
if (typeof __dirname === 'undefined') {
  // A plain error: the class of our own errors is in a module that needs `require`.
  throw new Error(
    'domino-vss cannot run inside an ES module: mark it as external in the bundler, or bundle as CommonJS',
  );
}
