import { setUpOrExit } from './setup.mjs';

await setUpOrExit(['native', 'lib', 'simulator']);
console.error('The demonstration is not written yet.');
process.exitCode = 1;
