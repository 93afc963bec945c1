// Run in a process of its own where the tools are installed: node archive.mjs <directory of an application> <directory for the result>
//
// Packs it as packagers of Electron programs do, and lays out in plain files what Electron shows of the archive: the files in it, and the
// names of those that lie beside it.

import { truncateSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [application, result] = process.argv.slice(2);
const require = createRequire(join(process.cwd(), 'archive.cjs'));
const { createPackageWithOptions, extractAll, listPackage, statFile } = await import(
  pathToFileURL(require.resolve('@electron/asar')).href
);

const archive = join(result, 'packed', 'app.asar');
await createPackageWithOptions(application, archive, { unpack: '**/*.node' });
extractAll(archive, join(result, 'app.asar'));
for (const name of listPackage(archive)) {
  const { unpacked, size } = statFile(archive, name.slice(1), false);
  if (unpacked && size > 0) truncateSync(join(result, 'app.asar', name));
}
