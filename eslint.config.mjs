import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const nodeGlobals = Object.fromEntries(
  ['process', 'console', 'performance', 'URL', 'AbortController', 'AbortSignal', 'setTimeout', 'clearTimeout']
    .concat(['setInterval', 'clearInterval', 'setImmediate', 'Buffer', 'structuredClone'])
    .map((name) => [name, 'readonly']),
);
const commonJsGlobals = { require: 'readonly', module: 'writable', __dirname: 'readonly', __filename: 'readonly' };

export default defineConfig(
  globalIgnores(['**/node_modules', '**/build', '**/dist', 'test/native/build*', 'test/package/consumers']),
  js.configs.recommended,
  {
    files: ['**/*.{js,cjs}'],
    languageOptions: { sourceType: 'commonjs', globals: { ...nodeGlobals, ...commonJsGlobals } },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { sourceType: 'module', globals: nodeGlobals },
  },
  {
    // Runs in a browser.
    files: ['lib/bench/page/*.js'],
    languageOptions: {
      sourceType: 'module',
      globals: Object.fromEntries(
        ['document', 'window', 'atob', 'requestAnimationFrame', 'getComputedStyle', 'matchMedia', 'ResizeObserver'].map(
          (name) => [name, 'readonly'],
        ),
      ),
    },
  },
  {
    files: ['{lib,test,bench}/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['tsconfig.json', 'tsconfig.test.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      eqeqeq: 'error',
    },
  },
  {
    // Errors of calls on a descriptor do not name their file: lib/call/files.ts adds it.
    files: ['lib/**/*.ts'],
    ignores: ['lib/call/files.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            ...['node:fs/promises', 'fs/promises'].map((name) => ({
              name,
              importNames: ['open', 'readFile', 'writeFile', 'appendFile'],
              message: 'Import it from call/files.ts.',
            })),
            ...['node:fs', 'fs'].map((name) => ({
              name,
              importNames: ['createReadStream', 'createWriteStream'],
              message: 'Import it from call/files.ts.',
            })),
          ],
        },
      ],
    },
  },
  {
    // The one place that loads our own modules late; its comment says why.
    files: ['lib/on-demand.ts'],
    rules: {
      '@typescript-eslint/no-require-imports': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
  {
    // Tests look into results they have just asserted on, and hand over what the types forbid.
    files: ['{test,bench}/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
  prettier,
);
