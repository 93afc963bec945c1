import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute } from '#lib/script/execute';

/** On other systems a shell stands in for the command interpreter, with the same arguments. */
const isWindows = process.platform === 'win32';
const stand = `#!/bin/sh
[ "$1 $2 $3" = "/d /s /c" ] || exit 99
command=\${4#?}
eval "exec sh \${command%?}"
`;

let directory: string;
let env: Record<string, string>;
let interpreter: string | undefined;

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'domino-vss exec & ')));
  const comSpec = join(directory, 'interpreter');
  if (!isWindows) writeFileSync(comSpec, stand, { mode: 0o755 });
  interpreter = isWindows ? undefined : comSpec;
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  env = { ...Object.fromEntries(inherited), backup_d: '{id}' };
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function scriptFile(windows: string, elsewhere: string): string {
  const file = join(directory, 'a & b.cmd');
  writeFileSync(file, isWindows ? `@echo off\r\n${windows}\r\n` : elsewhere);
  return file;
}

test('passes on what is printed, the aliases and the exit code', async () => {
  const file = scriptFile(
    'echo alias %backup_d%\r\necho wrong 1>&2\r\nexit /b 7',
    'echo alias $backup_d; echo wrong >&2; exit 7',
  );
  const output: string[] = [];
  const exitCode = await execute({
    file,
    env,
    interpreter,
    workingDirectory: directory,
    onOutput: (text) => {
      output.push(text);
    },
  });
  expect(exitCode).toBe(7);
  expect(output.join('')).toContain('alias {id}');
  expect(output.join('')).toContain('wrong');
});

test('an abort ends the wait', async () => {
  const file = scriptFile('ping -n 5 127.0.0.1 >nul', 'exec sleep 60');
  const controller = new AbortController();
  const running = execute({
    file,
    env,
    interpreter,
    // Programs that the interpreter has started may keep using it for a while.
    workingDirectory: tmpdir(),
    signal: controller.signal,
    onOutput: () => undefined,
  });
  setTimeout(() => {
    controller.abort(new Error('SIGINT'));
  }, 300);
  await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: { message: 'SIGINT' } });
});
