// The completions in the shells themselves. That of bash is tested in more detail with the other pages.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { completionScript } from '#lib/cli/pages/completion';
import { wholeGrammar } from '#lib/cli/pages/pages';

const { grammar } = wholeGrammar();
let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'completion-'));
  mkdirSync(join(home, 'zfunc'));
  writeFileSync(join(home, 'zfunc', '_domino-vss'), completionScript('zsh', grammar));
  writeFileSync(join(home, 'domino-vss.fish'), completionScript('fish', grammar));
});

afterAll(() => {
  rmSync(home, { recursive: true });
});

/** In CI a missing shell is a failure, as every test that was not run. */
const withShell = (shell: string): typeof describe => {
  return spawnSync(shell, ['--version']).error === undefined ? describe : describe.skip;
};

/** The lines that a shell prints. It reads no settings of the user, and finds no command but its own. */
function linesOf(shell: string, args: readonly string[]): string[] {
  const env = { HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, PATH: '/usr/bin:/bin', TERM: 'dumb' };
  const { status, stdout, stderr } = spawnSync(shell, args, { cwd: home, env, encoding: 'utf8', timeout: 20_000 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter(Boolean);
}

const offeredByFish: [string, string, string[]][] = [
  ['a command', 'domino-vss ba', ['backup']],
  ['a command of a group', 'domino-vss backup l', ['list']],
  ['a command to explain', 'domino-vss help ba', ['backup']],
  ['a command of a group to explain', 'domino-vss help backup l', ['list']],
  ['an option', 'domino-vss backup run --max', ['--max-skipped']],
  ['a choice', 'domino-vss backup run --provider r', ['reflink', 'rolling']],
];

withShell('fish')('completion in fish (skipped where there is no fish)', () => {
  test('has no syntax error', () => {
    expect(linesOf('fish', ['--no-execute', join(home, 'domino-vss.fish')])).toEqual([]);
  });

  test.each(offeredByFish)('%s', (_what, line, expected) => {
    const script = `source ${join(home, 'domino-vss.fish')}; complete -C '${line}'`;
    const words = linesOf('fish', ['--no-config', '-c', script]).map((offered) => offered.split('\t', 1)[0]);
    expect(words.sort()).toEqual(expected);
  });
});

/** Types each line and the tabulator in a terminal, and prints what is in the line then; the first of them also loads the script. */
const zshInTerminal = `
import os, pty, re, sys
child, terminal = pty.fork()
if child == 0:
    os.execvp('zsh', ['zsh', '-f', '-i'])
def read_to(pattern):
    text = b''
    while not re.search(pattern, text):
        text += os.read(terminal, 4096)
    return re.search(pattern, text).group(0).decode()
def read_prompt():
    # zsh asks for bracketed paste when it is ready to read keys.
    read_to(rb'\\x1b\\[\\?2004h')
read_prompt()
os.write(terminal, sys.argv[1].encode() + b'\\n')
read_prompt()
for line in sys.argv[2:]:
    # Tabulator, show the line, clear it.
    os.write(terminal, line.encode() + b'\\t\\x0f\\x15')
    print(read_to(rb'\\{domino-vss[^}]*\\}')[1:-1].rstrip())
os.close(terminal)
os.waitpid(child, 0)
`;
const zshSettings =
  'fpath=(~/zfunc $fpath); autoload -Uz compinit; compinit -u -d ~/dump; show() { print -r -- "{$BUFFER}" }; ' +
  'zle -N show; bindkey "^I" complete-word "^O" show';

withShell('zsh')('completion in zsh (skipped where there is no zsh)', () => {
  test('has no syntax error', () => {
    expect(linesOf('zsh', ['-f', '-n', join(home, 'zfunc', '_domino-vss')])).toEqual([]);
  });

  test('completes words in a terminal, from the first use on', () => {
    const lines = ['ba', 'backup l', 'backup run --max', 'backup run --provider ro', 'help ba', 'help backup l'];
    const typed = lines.map((words) => `domino-vss ${words}`);
    expect(linesOf('python3', ['-c', zshInTerminal, zshSettings, ...typed])).toEqual([
      'domino-vss backup',
      'domino-vss backup list',
      'domino-vss backup run --max-skipped',
      'domino-vss backup run --provider rolling',
      'domino-vss help backup',
      'domino-vss help backup list',
    ]);
  });
});
