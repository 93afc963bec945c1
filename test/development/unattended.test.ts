// The files of docs/unattended and the configuration in docs/schedule.md work: the command line accepts their calls, its schema
// their settings, and systemd their units.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv';
import { commandPages, wholeGrammar } from '#lib/cli/pages/pages';

const docs = join(__dirname, '../../../docs');
const directory = join(docs, 'unattended');
const files = readdirSync(directory);
const { grammar } = wholeGrammar();

/** Calls of domino-vss, as words. */
const calls = files.flatMap((file) => {
  const text = readFileSync(join(directory, file), 'utf8');
  const found = [...text.matchAll(/(?:^ExecStart=\S*domino-vss|main\.js") (.+?)(?:$|<)/gm)];
  return found.map(([, words = '']) => [file, words] as const);
});

test('there is a backup, a prune and a drill', () => {
  expect(calls.map(([, words]) => words.split(' --')[0])).toEqual(
    expect.arrayContaining(['backup run', 'backup prune', 'drill']),
  );
});

test.each(calls)('%s: domino-vss %s', (_file, words) => {
  const command = grammar.commands.find(({ name }) => `${words} `.startsWith(`${name} `));
  const options = words.match(/--[\w-]+/g) ?? [];
  expect(options.filter((option) => !command?.options.some(({ names }) => names.includes(option)))).toEqual([]);
});

test('the configuration of docs/schedule.md is one', () => {
  const [, json = ''] = /```json\n([^]*?)```/.exec(readFileSync(join(docs, 'schedule.md'), 'utf8')) ?? [];
  const schema = JSON.parse(commandPages()['schema/config-1.json'] ?? '') as Record<string, unknown>;
  const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
  expect({ valid: validate(JSON.parse(json)), errors: validate.errors }).toEqual({ valid: true, errors: null });
});

const analyze = spawnSync('systemd-analyze', ['--version']);
(analyze.error ? test.skip : test)('systemd-analyze finds nothing wrong with the units', () => {
  const copies = mkdtempSync(join(tmpdir(), 'units-'));
  try {
    const units = files.filter((file) => /\.(service|timer)$/.test(file));
    for (const file of units) {
      const text = readFileSync(join(directory, file), 'utf8');
      // The command and its man page are not installed here, and not every system has a logger.
      const here = text.replace(/^(ExecStart=)\S+/gm, `$1${process.execPath}`).replace(/^Documentation=man:.*\n/m, '');
      writeFileSync(join(copies, file), here);
    }
    const args = ['verify', '--man=no', ...units.map((file) => join(copies, file))];
    const { status, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const calendars = units.flatMap((file) => [
      ...readFileSync(join(directory, file), 'utf8').matchAll(/^OnCalendar=(.+)$/gm),
    ]);
    for (const [, time = ''] of calendars) expect(spawnSync('systemd-analyze', ['calendar', time]).status).toBe(0);
  } finally {
    rmSync(copies, { recursive: true });
  }
});
