// Writes docs/api-reference.md, which is made of the comments and types in the sources. With --check it writes nothing, and fails
// if the page is out of step. Either way it fails if typedoc finds anything wrong with a comment.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application, ReflectionKind } from 'typedoc';
import { root } from './setup.mjs';
import { parseOptions } from './setup/options.mjs';

const page = 'docs/api-reference.md';
const kinds = [
  ['Functions', ReflectionKind.Function],
  ['Classes', ReflectionKind.Class],
  ['Interfaces', ReflectionKind.Interface],
  ['Types', ReflectionKind.TypeAlias],
  ['Values', ReflectionKind.Variable],
];
/** Of longer lists, as of all error codes, only the beginning is shown. */
const longestList = 20;
const { values } = parseOptions(
  `Usage: npm run api-reference -- [--check]

Writes ${page} from the comments and types in the sources.

  --check    write nothing; fail if the page is out of step`,
  { options: { check: { type: 'boolean', default: false } } },
);

const text = await reference();
if (text === undefined) {
  process.exitCode = 1;
} else if (!values.check) {
  writeFileSync(join(root, page), text);
  console.log(page);
} else if (readFileSync(join(root, page), 'utf8').replaceAll('\r\n', '\n') !== text) {
  console.error(`${page} is out of step with the sources: run "npm run api-reference", and look at the difference`);
  process.exitCode = 1;
}

/** Answers nothing if a comment is wrong, of which typedoc has then told. */
async function reference() {
  process.chdir(root);
  const app = await Application.bootstrap({ options: join(root, 'typedoc.json') });
  const project = await app.convert();
  if (project === undefined) return undefined;
  app.validate(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) return undefined;
  const parts = kinds.map(([title, kind]) => {
    const members = project.children.filter((child) => child.kind === kind);
    return `## ${title}\n\n${members.map(section).join('\n')}`;
  });
  return `# API reference

Every export of the package with its types, made of the comments in the sources by \`npm run api-reference\`: do not edit this page.
[API](api.md) is the guide to it. The page is not part of the npm package, whose types contain the same comments.

${parts.join('\n')}`;
}

function section(declaration) {
  const { name, signatures = [], children = [], extendedTypes = [] } = declaration;
  const heritage = extendedTypes.length > 0 ? ` extends ${extendedTypes.map(String).join(', ')}` : '';
  const head =
    declaration.kind === ReflectionKind.TypeAlias || declaration.kind === ReflectionKind.Variable
      ? [code(`${name} = ${shortened(declaration.type)}`)]
      : signatures.length > 0
        ? signatures.map((signature) => code(call(name, signature)))
        : heritage === ''
          ? []
          : [code(name + heritage)];
  const comments = [declaration.comment, ...signatures.map(({ comment }) => comment)].map(prose).filter(Boolean);
  const own = children.filter(({ inheritedFrom, flags }) => !inheritedFrom && !flags.isPrivate && !flags.isProtected);
  const inline = declaration.kind === ReflectionKind.TypeAlias ? described(declaration.type) : [];
  const parts = [head.join('\n'), ...comments, [...own, ...inline].flatMap(member).join('\n')].filter(Boolean);
  return `### ${name}\n\n${parts.join('\n\n')}\n`;
}

/** Members of the objects in a type that have comments: the type itself has been shown. */
function described(type) {
  const parts = type?.types ?? [];
  const own = type?.type === 'reflection' ? (type.declaration.children ?? []) : [];
  return [...own.filter(({ comment }) => comment), ...parts.flatMap(described)];
}

function member(declaration) {
  const { name, flags, signatures, type, getSignature } = declaration;
  const shown = name.replace(/^__@(\w+)@\d+$/, '[Symbol.$1]');
  const item = (signature, comment) => {
    const text = prose(comment).replaceAll('\n', '\n  ').replace(/ +$/gm, '');
    return `- ${code(signature)}${text === '' ? '' : `\n  ${text}`}`;
  };
  if (declaration.kind === ReflectionKind.Constructor)
    return signatures.map((each) => item(call('new', each), each.comment));
  if (signatures) return signatures.map((each) => item(call(shown, each), each.comment));
  const optional = flags.isOptional ? '?' : '';
  return [
    item(`${shown}${optional}: ${shortened(type ?? getSignature?.type)}`, declaration.comment ?? getSignature?.comment),
  ];
}

function shortened(type) {
  const rest = (count) => `… (${count} in all)`;
  const parts = type?.type === 'union' ? type.types : [];
  if (parts.length > longestList) return `${parts.slice(0, 3).join(' | ')} | ${rest(parts.length)}`;
  const names = type?.type === 'reflection' ? (type.declaration.children ?? []).map(({ name }) => name) : [];
  if (names.length > longestList) return `{ ${names.slice(0, 3).join(': …; ')}: …; ${rest(names.length)} }`;
  return String(type);
}

function call(name, { parameters = [], type }) {
  const given = parameters.map(({ name, flags, type, defaultValue }) => {
    const optional = flags.isOptional || defaultValue !== undefined ? '?' : '';
    return `${flags.isRest ? '...' : ''}${name}${optional}: ${type}`;
  });
  return `${name}(${given.join(', ')})${name === 'new' ? '' : `: ${type}`}`;
}

/** No type contains a backquote. */
function code(text) {
  return `\`${text.replace(/\s+/g, ' ')}\``;
}

/** A comment in Markdown, with the links of typedoc as links to the sections of this page. */
function prose(comment) {
  if (!comment) return '';
  const plain = (parts) =>
    parts
      .map((part) => (part.kind === 'inline-tag' ? link(part) : part.text))
      .join('')
      .trim();
  const tags = comment.blockTags.map(
    ({ tag, content }) => `${tag.charAt(1).toUpperCase()}${tag.slice(2)}: ${plain(content)}`,
  );
  return [plain(comment.summary), ...tags].filter(Boolean).join('\n\n');
}

function link({ text, target }) {
  let top = target;
  while (top?.parent && top.parent.kind !== ReflectionKind.Project) top = top.parent;
  return top === undefined || typeof top === 'string' ? `\`${text}\`` : `[${text}](#${top.name.toLowerCase()})`;
}
