import { setUp } from './setup.mjs';

await setUp(['native', 'lib', 'simulator']);
console.error('The demonstration is not written yet.');
process.exitCode = 1;
