// The cross-compiled addon for Windows; the tests under Wine show that it runs.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readPe } from './pe';

const file = join(__dirname, '..', '..', '..', 'prebuilds', 'win32-x64', 'domino-vss.node');

/** Part of every Windows 10 and Windows Server 2016. */
const systemLibraries = ['kernel32.dll', 'advapi32.dll', 'msvcrt.dll', 'ole32.dll', 'oleaut32.dll'];

const largestBytes = 2 * 1024 * 1024;

test('the addon for Windows needs nothing but Windows and the program that loads it', () => {
  const pe = readPe(file);
  expect(pe.machine).toBe(0x8664);
  expect(pe.imports.filter((library) => !systemLibraries.includes(library))).toEqual([]);
  // Bound at its first call, through our own hook, because the program may have another name than node.exe. Its name is in the
  // data of the delayed import; the linker of mingw-w64 writes no directory of those.
  expect(readFileSync(file).includes('node.exe')).toBe(true);
  expect([...pe.exports].sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
  expect(statSync(file).size).toBeLessThan(largestBytes);
});
