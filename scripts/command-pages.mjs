// Writes what is made of the command line's own grammar: the schema of its configuration file and its man page. A test says when
// they are out of step.

import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root, setUpOrExit } from './setup.mjs';

await setUpOrExit(['lib']);
const require = createRequire(import.meta.url);
const { commandPages } = require(join(root, 'dist', 'cli', 'pages', 'pages.js'));
for (const [file, text] of Object.entries(commandPages())) {
  mkdirSync(join(root, file, '..'), { recursive: true });
  writeFileSync(join(root, file), text);
  console.log(file);
}
