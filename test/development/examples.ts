// The examples of the documentation: where they are, and how those in TypeScript become programs.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(__dirname, '..', '..', '..');

/** A fenced block of the documentation. */
export interface Example {
  /** Page and heading, and from the second block below a heading on its number: `docs/api.md#hooks`. */
  readonly name: string;
  /** Empty if the block has none. */
  readonly language: string;
  readonly text: string;
}

/** The pages that users and contributors read, by path, except those whose text is not ours or made of the sources. */
export function documentationPages(): string[] {
  const pages = [
    ...readdirSync(root).filter((name) => name.endsWith('.md') && name !== 'THIRD-PARTY-NOTICES.md'),
    ...['docs', 'simulator', 'bench', 'prebuilds'].flatMap((directory) =>
      readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.md') && !/(^|\/)(build|node_modules)\/|^api-reference\.md$/.test(name))
        .map((name) => `${directory}/${name}`),
    ),
  ];
  return pages.sort();
}

/** Every block of every page. */
export function examples(): Example[] {
  return documentationPages().flatMap(examplesOf);
}

function examplesOf(page: string): Example[] {
  const found: Example[] = [];
  let heading = '';
  let block: { language: string; lines: string[] } | undefined;
  const numbers = new Map<string, number>();
  for (const line of readFileSync(join(root, page), 'utf8').split(/\r?\n/)) {
    const fence = /^ *```+(.*)$/.exec(line);
    if (block === undefined) {
      const [, title] = /^#+ +(.+)$/.exec(line) ?? [];
      if (title !== undefined) heading = anchor(title);
      if (fence) block = { language: fence[1]!.trim(), lines: [] };
    } else if (fence) {
      const place = `${page}#${heading}`;
      const number = (numbers.get(place) ?? 0) + 1;
      numbers.set(place, number);
      const name = number === 1 ? place : `${place}/${number}`;
      found.push({ name, language: block.language, text: `${block.lines.join('\n')}\n` });
      block = undefined;
    } else {
      block.lines.push(line);
    }
  }
  return found;
}

function anchor(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- _]/gu, '')
    .replaceAll(' ', '-');
}

/** Directory for the files of examples: `domino-vss` and their other imports are found from there. */
export function makeProject(directory: string): void {
  const modules = join(directory, 'node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  symlinkSync(root, join(modules, 'domino-vss'));
  symlinkSync(join(root, 'simulator'), join(modules, 'domino-vss-simulator'));
  symlinkSync(join(root, 'node_modules', '@types', 'node'), join(modules, '@types', 'node'));
  // Replaces a package that is not installed here, for one example, according to the package's documentation; it records what it
  // is told.
  const telemetry = join(modules, '@opentelemetry', 'api');
  mkdirSync(telemetry, { recursive: true });
  writeFileSync(join(telemetry, 'package.json'), '{ "name": "@opentelemetry/api", "main": "index.js" }');
  writeFileSync(
    join(telemetry, 'index.d.ts'),
    `export interface Span { end(endTime?: number): void }
     export interface Tracer {
       startSpan(name: string, options?: { startTime?: number; attributes?: Record<string, string | number | boolean> }): Span;
     }
     export const trace: { getTracer(name: string): Tracer };
     export const ended: string[];`,
  );
  writeFileSync(
    join(telemetry, 'index.js'),
    `exports.ended = [];
     exports.trace = { getTracer: () => ({ startSpan: (name) => ({ end: () => exports.ended.push(name) }) }) };`,
  );
  writeFileSync(
    join(directory, 'storage.ts'),
    `import { cpSync } from 'node:fs';
     import type { Hold } from 'domino-vss';
     export function takeSnapshot(volumes: Hold['volumes']): Promise<void> {
       if (volumes.length !== 1) throw new Error('more than one volume');
       cpSync(process.env['DATA']!, process.env['SNAPSHOT']!, { recursive: true });
       return Promise.resolve();
     }`,
  );
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
}

/** Writes examples in TypeScript and JavaScript to files. @returns the file that {@link compile} makes of each, by its example */
export function writePrograms(directory: string, programs: readonly Example[]): Map<string, string> {
  return new Map(
    programs.map(({ name, language, text }) => {
      const module = language === 'ts' ? 'ts' : /^import /m.test(text) ? 'mjs' : 'cjs';
      const file = name.replace(/[^\w]+/g, '-');
      // TypeScript takes a file without exports for a script, whose names are visible in all other files.
      writeFileSync(join(directory, `${file}.${module}`), module === 'ts' ? `${text}export {};\n` : text);
      return [name, `${file}.${module === 'ts' ? 'js' : module}`] as const;
    }),
  );
}

/** Compiles what {@link writePrograms} has written, as strictly as `tsc --init` does. @returns the errors */
export function compile(directory: string, output: string): string {
  const config = {
    compilerOptions: {
      ...{ strict: true, allowJs: true, checkJs: true, skipLibCheck: true, rootDir: '.', outDir: output },
      ...{ target: 'ES2022', lib: ['ES2022', 'ESNext.Disposable'], module: 'nodenext', types: ['node'] },
    },
    include: ['*.ts', '*.mjs', '*.cjs'],
  };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config));
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', directory],
    { cwd: directory, encoding: 'utf8' },
  );
  return `${stdout}${stderr}`;
}
