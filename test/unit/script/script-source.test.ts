import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBinding } from '#lib/native/binding';
import type { ScriptEvent } from '#lib/script/events';
import { runScript, type RunScriptOptions } from '#lib/script/run-script';
import { decodeScript, readScriptFile } from '#lib/script/script-source';
import { describeEvent } from '#lib/script/text';
import { linuxTest } from '../../platform';

const text = 'set context persistent\r\nadd volume d:\r\ncreate\r\n';
const utf16 = (written: string): Buffer => Buffer.from(written, 'utf16le');
const mark = Buffer.from([0xff, 0xfe]);

test.each<[string, Buffer]>([
  ['UTF-16 with a byte order mark', Buffer.concat([mark, utf16(text)])],
  ['UTF-16 without one', utf16(text)],
  ['a final ^Z', Buffer.from(`${text}\u001a`)],
  ['a final ^Z in UTF-16', Buffer.concat([mark, utf16(`${text}\u001a`)])],
  ['final NULs', Buffer.from(`${text}\0\0\0`)],
])('%s is read', (_what, bytes) => {
  expect(decodeScript(bytes, 'x').text.replace(/^\ufeff/, '')).toBe(text);
});

test.each<[string, Buffer, RegExp]>([
  [
    'UTF-16 that >> of cmd has gone on with',
    Buffer.concat([mark, utf16('set verbose on\r\n'), Buffer.from('create\r\n')]),
    /two encodings, with a change at about line 2/,
  ],
  [
    'bytes that PowerShell has gone on with',
    Buffer.concat([Buffer.from('set verbose on\r\n'), utf16('create\r\n')]),
    /two encodings, with a change at about line 2/,
  ],
  [
    'a program',
    Buffer.from([0x4d, 0x5a, 0x90, 0x00, 0x03, 0x0a, 0x07, 0x01]),
    /^x is not a script: line 1 contains the control character 0x00$/,
  ],
  ['escape sequences', Buffer.from('add volume d:\n\u001b[2J\n'), /line 2 contains the control character 0x1B$/],
])('%s is refused in one line', (_what, bytes, message) => {
  let refusal: unknown;
  try {
    decodeScript(bytes, 'x');
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toMatchObject({ code: 'ERR_OPTION', message: expect.stringMatching(message) as unknown });
  expect((refusal as Error).message).toMatch(/^[ -~]+$/);
});

describe('what is no script file is refused at once', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'domino-vss-source-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  test('300 MB of zeros', async () => {
    const file = join(directory, 'zeros');
    writeFileSync(file, '');
    truncateSync(file, 300_000_000);
    await expect(readScriptFile(file)).rejects.toMatchObject({ message: `${file} has 300 MB: it cannot be a script` });
  });

  // It cannot be read at once: reading it before checking its size would give another error.
  linuxTest('a file larger than what can be read', async () => {
    const file = join(directory, 'huge');
    writeFileSync(file, '');
    truncateSync(file, 5_000_000_000);
    await expect(readScriptFile(file)).rejects.toMatchObject({ message: `${file} has 5 GB: it cannot be a script` });
  });

  test('a directory', async () => {
    await expect(readScriptFile(directory)).rejects.toMatchObject({ code: 'ERR_OPTION' });
  });

  (process.platform === 'win32' ? test.skip : test)('a FIFO, which nobody writes to', async () => {
    const file = join(directory, 'fifo');
    execFileSync('mkfifo', [file]);
    await expect(readScriptFile(file)).rejects.toMatchObject({
      message: expect.stringContaining('not a plain file') as unknown,
    });
  });
});

async function check(script: RunScriptOptions['script']): Promise<{ exitCode: number; output: string[] }> {
  const events: ScriptEvent[] = [];
  const { exitCode } = await runScript(loadBinding, {
    script,
    check: true,
    onEvent: (event) => {
      events.push(event);
    },
  });
  return { exitCode, output: events.map((event) => describeEvent(event) ?? '') };
}

test('a text of something else is one problem, without control characters', async () => {
  const lines = Array.from(
    { length: 500 },
    (_value, index) => `21:0${index % 10} server\u0085 started \u202e task ${index}`,
  );
  const { exitCode, output } = await check({ text: lines.join('\n') });
  expect(exitCode).toBe(2);
  expect(output).toHaveLength(1);
  expect(output[0]).toContain('this is not a script: 500 of 500 lines cannot be read as commands');
  expect(output[0]).not.toMatch(/[\u0080-\u009f\u202e]/);
});

describe('letters in different code pages', () => {
  // ü, ö and ß as a console of western Europe writes them, and as Windows does.
  const inConsole = Buffer.from([...Buffer.from('add volume d:\\gr'), 0x81, ...Buffer.from('n\r\n')]);
  const inWindows = Buffer.from([...Buffer.from('set metadata d:\\gr'), 0xfc, 0xdf, ...Buffer.from('.cab\r\n')]);

  test('of a console are not silently read as others', async () => {
    const { exitCode, output } = await check({ text: inConsole });
    expect(exitCode).toBe(2);
    expect(output.join('\n')).toContain('written in the code page of a console, where it reads: add volume d:\\grün');
  });

  test('of Windows are read, with a warning that shows how', async () => {
    const { exitCode, output } = await check({ text: inWindows });
    expect(exitCode).toBe(0);
    expect(output.join('\n')).toContain(
      'line 1 is neither ASCII nor UTF-8; it was read as windows-1252: set metadata d:\\grüß.cab',
    );
  });

  test('of UTF-8 need no warning', async () => {
    const { output } = await check({ text: Buffer.from('set metadata d:\\grüß.cab\r\n') });
    expect(output.join('\n')).not.toContain('warning');
  });

  test('in comments do not matter', async () => {
    const bytes = Buffer.from([...Buffer.from('# gr'), 0x81, ...Buffer.from('n\r\nset\r\n')]);
    expect((await check({ text: bytes })).exitCode).toBe(0);
  });
});
