'use strict';

const tier = process.env.DOMINO_VSS_TEST_TIER ?? 'quick';
/** Test files that need not run again, relative to the root: scripts/test.mjs. */
const except = process.env.DOMINO_VSS_TEST_EXCEPT ? require(process.env.DOMINO_VSS_TEST_EXCEPT) : [];
const coverage = process.argv.includes('--coverage');

/** Which tests a tier leaves out: the suffix of a test file's name says from which tier on it runs. */
const leftOut = {
  quick: ['\\.ci\\.test\\.js$', '\\.full\\.test\\.js$'],
  ci: ['\\.full\\.test\\.js$'],
  full: [],
};

// Of Jest 29: docs/decisions/jest-29.md
/** @type {import('jest').Config} */
module.exports = {
  // Files that no test loads count as uncovered only if jest knows them.
  roots: ['<rootDir>/build/test', ...(coverage ? ['<rootDir>/dist'] : [])],
  testMatch: ['**/*.test.js'],
  testPathIgnorePatterns: [
    ...leftOut[tier],
    ...(process.platform === 'win32' ? [] : ['/test/windows/']),
    ...except.map((file) => `^<rootDir>/${file.replaceAll('.', '\\.')}$`),
  ],
  testEnvironment: '<rootDir>/test/jest-environment.js',
  transform: {},
  // Not among the temporary files: it knows which test files take long. Windows and Linux share the checkout under Wine.
  ...(process.platform !== 'win32' && { cacheDirectory: '<rootDir>/build/jest' }),
  // The Domino runtime exists once per process and cannot be restarted, so every test file needs a process of its own
  // (docs/decisions/one-domino-runtime-per-process.md).
  // Jest starts a new worker whenever the old one is above this limit after a file, which 1 KiB always is.
  // Under Wine each file is started in a process of its own from the beginning.
  ...(process.platform !== 'win32' && { workerIdleMemoryLimit: '1KB' }),
  // Many tests wait for other processes. Jest would leave one processor to itself, which is half of a small machine.
  maxWorkers: '100%',
  testTimeout: 30_000,
  ...(coverage && {
    collectCoverageFrom: ['dist/**/*.js'],
    coverageProvider: 'v8',
    coverageDirectory: '<rootDir>/build/coverage',
  }),
};
