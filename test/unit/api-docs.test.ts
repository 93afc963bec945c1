import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../../..');

/** Names that `lib/index.ts` exports, from its text, because types do not exist in the loaded module. */
function exportedNames(): string[] {
  const text = readFileSync(join(root, 'lib/index.ts'), 'utf8');
  const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) => list!.split(','));
  const functions = [...text.matchAll(/^export function (\w+)/gm)].map(([, name]) => name!);
  return [...lists.map((name) => name.replace(/^\s*type /, '').trim()), ...functions].filter((name) => name !== '');
}

test('docs/api.md names everything that is exported', () => {
  const text = readFileSync(join(root, 'docs/api.md'), 'utf8');
  const names = exportedNames();
  expect(names.length).toBeGreaterThan(50);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
});

test('every exported declaration of the library is described', () => {
  const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const names = new Set(exportedNames());
  for (const file of files) {
    const text = readFileSync(join(root, 'lib', file), 'utf8');
    for (const [before, name] of declarations(text)) {
      if (names.has(name)) expect([file, name, before.trimEnd().endsWith('*/')]).toEqual([file, name, true]);
    }
  }
});

function declarations(text: string): [string, string][] {
  const pattern = /^export (?:class|interface|type|const) (\w+)/gm;
  return [...text.matchAll(pattern)].map((match) => [text.slice(0, match.index), match[1]!]);
}
