import { DF_1_NODELETE, readElf } from './elf';

/** Libraries of the C library's family; libgcc comes with Node.js itself. libstdc++ must not be among them. */
const allowedLibraries = [
  'libc.so.6',
  'libm.so.6',
  'libdl.so.2',
  'libpthread.so.0',
  'ld-linux-x86-64.so.2',
  'libgcc_s.so.1',
];

/** Libraries in which the C library of older systems has threads and the loader; without them, those functions are not found there. */
const librariesOfOlderSystems = ['libpthread.so.0', 'libdl.so.2'];

/** The C library of Red Hat Enterprise Linux 8, the oldest system that Node.js itself supports. */
const glibcFloor = [2, 28];

const elfMachine: Partial<Record<NodeJS.Architecture, number>> = { x64: 62, arm64: 183 };

/** Fails unless the binary loads on every system with Node.js 20 and the promised C library. */
export function expectShippable(path: string): void {
  const elf = readElf(path);
  expect(elf.machine).toBe(elfMachine[process.arch]);
  expect(elf.needed.filter((library) => !allowedLibraries.includes(library))).toEqual([]);
  expect(elf.needed).toEqual(expect.arrayContaining(librariesOfOlderSystems));
  expect(elf.runPath).toBeUndefined();
  expect(elf.flags1 & DF_1_NODELETE).toBe(DF_1_NODELETE);

  const tooNew = [...elf.neededVersions.values()]
    .flat()
    .filter((version) => version.startsWith('GLIBC_') && isNewer(version.slice('GLIBC_'.length), glibcFloor));
  expect(tooNew).toEqual([]);

  // No symbol of ours or of the C++ runtime may pre-empt one of Domino's libraries.
  expect([...elf.exports].sort()).toEqual(['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
}

function isNewer(version: string, floor: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  const difference = parts.map((part, index) => part - (floor[index] ?? 0)).find((value) => value !== 0);
  return (difference ?? 0) > 0;
}
