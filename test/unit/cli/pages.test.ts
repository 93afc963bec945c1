import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv';
import { completionScript } from '#lib/cli/pages/completion';
import { commandPages, wholeGrammar } from '#lib/cli/pages/pages';
import { displayWidth } from '#lib/cli/width';

const root = join(__dirname, '..', '..', '..', '..');
const { grammar } = wholeGrammar();
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'pages-'));
  mkdirSync(join(directory, 'with space'));
  writeFileSync(join(directory, 'server.ini'), '');
  writeFileSync(join(directory, 'bash'), completionScript('bash', grammar));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

test.each(Object.entries(commandPages()))('%s is what "npm run command-pages" makes', (file, text) => {
  expect(readFileSync(join(root, file), 'utf8').replaceAll('\r\n', '\n')).toBe(text);
});

describe('the schema of the configuration file', () => {
  const validate = new Ajv({ allowUnionTypes: true }).compile(
    JSON.parse(commandPages()['schema/config-1.json'] ?? '') as Record<string, unknown>,
  );

  test('takes the example of the documentation', () => {
    const text = readFileSync(join(root, 'docs/command-line.md'), 'utf8');
    const [, example = ''] = /## Settings[^]*?```json\n([^]*?)```/.exec(text) ?? [];
    expect(validate(JSON.parse(example))).toBe(true);
  });

  test('is the one that the example names, and programs can ask for it by name', () => {
    const text = readFileSync(join(root, 'docs/command-line.md'), 'utf8');
    const [, schema = ''] = /"\$schema": "([^"]*)"/.exec(text) ?? [];
    const [, file = ''] = /^file:\/\/\/.*\/node_modules\/domino-vss\/(.*)$/.exec(schema) ?? [];
    expect(Object.keys(commandPages())).toContain(file);
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      exports: Record<string, string>;
    };
    expect(exports[`./${file}`]).toBe(`./${file}`);
  });

  test.each([
    { 'delta-directory': '/d' },
    { keep: 'yes' },
    { provider: 'tape' },
    { json: true },
    { 'backup list': { keep: true } },
    { to: ['/a', '/b'] },
  ])('refuses %j', (configuration) => {
    expect(validate(configuration)).toBe(false);
  });
});

/** What bash offers for the last word. */
function completed(...words: string[]): string[] {
  const script = `
    source ./bash
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    _domino_vss
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script, 'bash', 'domino-vss', ...words], { cwd: directory, encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '');
}

(process.platform === 'win32' ? describe.skip : describe)('completion in bash', () => {
  test.each<[string, string[], string[]]>([
    ['commands', ['sh'], ['shadow']],
    ['commands of a group', ['backup', 'l'], ['list']],
    ['another name of a command', ['fr'], ['freeze', 'freezeFail']],
    ['options', ['backup', 'run', '--max'], ['--max-skipped']],
    ['options of a command with two names', ['thaw', '--shadow-r'], ['--shadow-root']],
    ['options of every command', ['backup', 'list', '--conf'], ['--config']],
    ['options after others', ['backup', 'run', '--to', '/x', '--no-config', '--kee'], ['--keep', '--keep-nothing']],
    ['choices', ['backup', 'run', '--provider', 'r'], ['reflink', 'rolling']],
    ['directories', ['backup', 'run', '--to', ''], ['with space']],
    ['commands to explain', ['help', 'sh'], ['shadow']],
    ['commands of a group to explain', ['help', 'backup', 'l'], ['list']],
    ['nothing after a command to explain', ['help', 'script', ''], []],
    ['files', ['doctor', '--ini', 'ser'], ['server.ini']],
    ['files that a command works on', ['script', 'ser'], ['server.ini']],
    ['nothing where only the user knows', ['backup', 'run', '--shards', ''], []],
  ])('%s', (_what, words, expected) => {
    expect(completed(...words)).toEqual(expected);
  });
});

describe('completion in PowerShell, as far as its text says', () => {
  const script = completionScript('powershell', grammar);

  test.each([
    ['commands to explain', 'help', "'backup'"],
    ['commands of a group to explain', 'help backup', "'list'"],
    ['options', 'backup run', "'--max-skipped'"],
    ['choices', 'backup run --provider', "'rolling'"],
  ])('%s', (_what, path, word) => {
    const [, words = ''] = new RegExp(`^    '${path}' = @\\((.*)\\)$`, 'm').exec(script) ?? [];
    expect(words.split(', ')).toContain(word);
  });
});

describe('the man page', () => {
  const page = commandPages()['man/domino-vss.1'] ?? '';

  test('begins its description with what the program is', () => {
    expect(page).toMatch(/\.SH DESCRIPTION\ndomino\\-vss backs up the databases /);
    expect(page).toContain('.SS "domino\\-vss backup run"');
  });

  test('fills its paragraphs', () => {
    const unfilled = [...page.matchAll(/^\.nf\n([^]*?)\n\.fi$/gm)].flatMap(([, block = '']) => block.split('\n'));
    expect(unfilled.filter((line) => /^\S/.test(line) && line.length > 78)).toEqual([]);
    expect(unfilled).toContainEqual(expect.stringMatching(/^ {2}\$ domino\\-vss backup run /));
  });

  test('has no error that groff finds, and fits a terminal', () => {
    const formatted = spawnSync('groff', ['-man', '-Kutf8', '-Tutf8', '-ww', '-P-cbou', '-rLL=80n'], {
      input: page,
      encoding: 'utf8',
    });
    // Groff may be missing on the machine of a developer, but not where everything has to be tested.
    if (formatted.error && (process.platform !== 'linux' || process.env['CI'] === undefined)) return;
    expect(formatted.error).toBeUndefined();
    expect(formatted.stderr).toBe('');
    expect(formatted.stdout).toContain('domino-vss backup run');
    // Commands are copied.
    const isCommand = (line: string): boolean => /^ +(?:[$>]|domino-vss) /.test(line);
    const tooLong = formatted.stdout.split('\n').filter((line) => displayWidth(line) > 80 && !isCommand(line));
    expect(tooLong).toEqual([]);
  });
});
