import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { runProgram } from './program';

const root = join(__dirname, '..', '..', '..');
const lists = JSON.parse(readFileSync(join(root, 'cpp', 'sources.json'), 'utf8')) as Record<string, string[]>;

test('every C++ source is listed once, and every listed source exists', () => {
  const listed = Object.values(lists).flat().sort();
  const present = readdirSync(join(root, 'cpp'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.cpp'))
    .map((file) => file.split(sep).join('/'))
    .sort();
  expect(listed).toEqual(present);
});

test('node-gyp compiles exactly the sources that CMake compiles', () => {
  const commands = JSON.parse(readFileSync(join(root, 'build', 'compile_commands.json'), 'utf8')) as { file: string }[];
  const byCmake = commands.map(({ file }) => file.slice(root.length + 1)).sort();
  expect(existsSync(join(root, 'binding.gyp'))).toBe(true);
  const byGyp = sourcesOfBindingGyp().sort();
  expect(byGyp).toEqual(byCmake);
});

// Only Visual Studio shows whether they obey (docs/limits.md): a workflow looks at what the binary needs there.
test('both build files ask Visual Studio for its runtime as a static library', () => {
  expect(readFileSync(join(root, 'binding.gyp'), 'utf8')).toMatch(/'Release': .*'RuntimeLibrary': 0 /);
  expect(readFileSync(join(root, 'CMakeLists.txt'), 'utf8')).toContain(
    'set(CMAKE_MSVC_RUNTIME_LIBRARY "MultiThreaded$<',
  );
});

/** Expands the source commands of binding.gyp as gyp does: each runs in the root and prints one file per line. */
function sourcesOfBindingGyp(): string[] {
  const gyp = readFileSync(join(root, 'binding.gyp'), 'utf8');
  const platformOf = (position: number): string | undefined =>
    [...gyp.slice(0, position).matchAll(/OS=='(\w+)'/g)].at(-1)?.[1];
  return [...gyp.matchAll(/'<!@\(((?:[^'\\]|\\.)*)\)'/g)]
    .filter(({ index }) => [undefined, 'linux'].includes(platformOf(index)))
    .flatMap((match) => {
      const command = (match[1] ?? '').replaceAll("\\'", "'");
      return runProgram('sh', ['-c', command], { cwd: root }).trim().split('\n').filter(Boolean);
    });
}
