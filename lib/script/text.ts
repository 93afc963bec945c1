import { printable, printableLines } from '../errors/printable';
import type { LeftShadow, ListedAs, ScriptEvent } from './events';
import { providerLines, shadowBlock, writerLines } from './listing';
import type { ScriptProblem } from './problem';

/** An event as text, similar to the output of diskshadow, without a line end; undefined if it is not shown as text. */
export function describeEvent(event: ScriptEvent): string | undefined {
  // The output of a program that the script runs is not changed, as at a prompt.
  if (event.type === 'output') return event.text.replace(/\r?\n$/, '');
  return event.type === 'progress' ? undefined : describe(shown(event));
}

function describe(event: Exclude<ScriptEvent, { type: 'output' | 'progress' }>): string {
  switch (event.type) {
    case 'command':
      return `-> ${event.text}`;
    case 'expanded':
      return `-> %${event.name}% = ${event.value}`;
    case 'alias':
      return describeAlias(event);
    case 'note':
      return `note: ${event.message}`;
    case 'warning':
      return `warning ${event.code}: ${event.message}`;
    case 'detail':
      return `\t${event.message}`;
    case 'help':
      return lines(event.forms.map(({ usage, summary }) => `  ${usage}\n      ${summary}`));
    case 'settings':
      return describeSettings(event);
    case 'added':
      return describeAdded(event);
    case 'created':
      return describeShadows(`Querying all shadow copies with the shadow copy set ID ${event.setId}`, event.shadows);
    case 'shadows':
      return describeShadows(event.title, event.shadows);
    case 'writers':
      return lines(writerLines(event.writers, event.detail));
    case 'providers':
      return lines(providerLines(event.providers));
    case 'metadata':
      return event.action === 'written' ? `Metadata written to ${event.file}` : `Metadata loaded from ${event.file}`;
    case 'exposed':
      return `The shadow copy was successfully exposed as ${event.as}${event.as.endsWith(':') ? '\\' : ''}.`;
    case 'unexposed':
      return `Shadow copy ${event.as} was successfully unexposed.`;
    case 'deleted':
      return lines([
        ...event.shadows.map(
          ({ shadow }) => `Deleted shadow copy ${shadow.id} of ${shadow.mountedAs || shadow.volume}`,
        ),
        `Number of shadow copies deleted: ${event.shadows.length}`,
      ]);
    case 'broken':
      return event.how === 'mask' ? `Masked the set ${event.setId}` : `Broke the set ${event.setId} (${event.how})`;
    case 'backup':
      return event.action === 'begun' ? 'Full backup begun' : 'Backup complete';
    case 'restore':
      return describeRestore(event);
    case 'reverted':
      return `The volume ${event.volume} was reverted to ${event.id}`;
    case 'executed':
      return `${event.file} ended with exit code ${event.exitCode}`;
    case 'left':
      return describeLeft(event.shadows);
    case 'plan':
      return `   would ${event.text}`;
    case 'problem':
      return describeProblem(event);
  }
}

/** A mistake or failure with its place, in the format of compilers. */
export function describeProblem(problem: ScriptProblem): string {
  const { file, line, column, message, remedy } = shown(problem);
  const place = `${file}:${line}:${column}: ${message}`;
  return remedy === '' ? place : `${place}\n  what to do: ${remedy}`;
}

/** Texts that may have several lines. All others, such as names, are on one line. */
const withLines: readonly string[] = ['message', 'remedy', 'text', 'title'];

/** The event with every text made safe for a terminal: names of writers, volumes and files may contain control characters. */
function shown<T>(value: T, key?: string): T;
function shown(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return withLines.includes(key) ? printableLines(value) : printable(value);
  if (Array.isArray(value)) return value.map((element) => shown(element as unknown, key));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shown(member as unknown, name)]));
}

function describeAlias({ name, value, of }: Extract<ScriptEvent, { type: 'alias' }>): string {
  const what = { shadow: ' for shadow ID', set: ' for shadow set ID', value: ' =' };
  return `Alias ${name}${what[of]} ${value} set as environment variable.`;
}

/** What still exists, and how to delete it. */
function describeLeft(shadows: readonly LeftShadow[]): string {
  const sets = [...new Set(shadows.map(({ setId }) => setId))];
  return lines([
    'left by this script:',
    ...shadows.map(({ id, volume, exposedAs }) => {
      return `  ${id} of ${volume}, ${exposedAs === '' ? 'not exposed' : `exposed as ${exposedAs}`}`;
    }),
    ...sets.map((setId) => `  to delete ${shadows.length === 1 ? 'it' : 'them'}: ${deleteCommand(setId)}`),
  ]);
}

/** The command that deletes a script's set and its exposures. */
export function deleteCommand(setId: string): string {
  return `domino-vss shadow delete --set ${setId}`;
}

function describeSettings(settings: Extract<ScriptEvent, { type: 'settings' }>): string {
  const { context, options, metadata, verbose, backup } = settings;
  return lines([
    `  context   ${context.lifetime}${context.writers ? '' : ' nowriters'}`,
    `  option    ${options.length === 0 ? '(none)' : options.join(' ')}`,
    `  metadata  ${metadata === '' ? '(a generated name in the working directory)' : metadata}`,
    `  verbose   ${verbose ? 'on' : 'off'}`,
    `  backup    ${backup}`,
  ]);
}

function describeAdded({ volumes, aliases }: Extract<ScriptEvent, { type: 'added' }>): string {
  const nothing = ['  (none)'];
  const added = volumes.map(({ volume, alias, providerId }) => {
    return `  ${volume}${alias === '' ? '' : ` alias ${alias}`}${providerId === '' ? '' : ` provider ${providerId}`}`;
  });
  const named = aliases.map(({ name, value }) => `  %${name}% = ${value}`);
  return lines([
    'Volumes for the next create:',
    ...(added.length > 0 ? added : nothing),
    'Aliases:',
    ...(named.length > 0 ? named : nothing),
  ]);
}

function describeShadows(title: string, shadows: readonly ListedAs[]): string {
  return lines([
    title,
    '',
    ...shadows.flatMap((shadow) => [...shadowBlock(shadow), '']),
    `Number of shadow copies listed: ${shadows.length}`,
  ]);
}

function describeRestore({ action, writers }: Extract<ScriptEvent, { type: 'restore' }>): string {
  const title = {
    begun: 'Restore begun',
    ended: 'Restore ended',
    simulated: 'Restore simulated; writers were not notified',
  };
  const present = writers.map(
    ({ name, id, present: is }) => `  ${is ? 'would take part' : 'is missing'}: "${name}" ${id}`,
  );
  return lines(action === 'ended' ? [title[action]] : [title[action], ...present]);
}

function lines(texts: readonly string[]): string {
  return texts.join('\n');
}
