import { stat } from 'node:fs/promises';
import prettyBytes from 'pretty-bytes';
import { readFile } from '../call/files';
import { OptionError } from '../errors/errors';

/** More than a hundred times the length of the longest script known to us. */
const largestScript = 1_000_000;

/** A script as it was read. */
export interface ScriptSource {
  readonly text: string;
  /** Whether its encoding was guessed, because it is neither marked nor UTF-8: letters outside ASCII may be wrong. */
  readonly isGuess: boolean;
}

/** Reads a script file, whatever program wrote it. Refuses a file that cannot be a script. */
export async function readScriptFile(path: string): Promise<ScriptSource> {
  const found = await stat(path);
  if (!found.isFile()) {
    const what = found.isDirectory() ? 'a directory' : 'not a plain file';
    throw new OptionError(
      'script',
      `${path} is ${what}, not a script; commands from a program are read from standard input`,
    );
  }
  requireSize(path, found.size);
  return decodeScript(await readFile(path), path);
}

/** The text of a script; `name` is used in messages. */
export function decodeScript(bytes: Uint8Array, name: string): ScriptSource {
  requireSize(name, bytes.length);
  // DOS ended files with ^Z, and some programs still write it, or a NUL.
  let end = bytes.length;
  const unit = isWide(bytes) ? 2 : 1;
  while (end >= unit && isEndMark(bytes, end, unit)) end -= unit;
  const meant = bytes.subarray(0, end);
  requireOneEncoding(meant, name);
  const text = decodeText(meant);
  // eslint-disable-next-line no-control-regex -- this is what is looked for
  const control = /[\u0000-\u0008\u000e-\u001f\u007f]/.exec(text);
  if (!control) return { text, isGuess: !isWide(meant) && !isUtf8(meant) };
  const line = text.slice(0, control.index).split(/\r\n|\n|\r/).length;
  const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
  throw new OptionError('script', `${name} is not a script: line ${line} contains the control character 0x${code}`);
}

/** UTF-8; UTF-16 with or without a byte order mark; otherwise the Windows code page for western Europe. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (isUnmarkedUtf16(bytes)) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The upper half of code page 850, which consoles in western Europe use. */
export const cp850 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0';

/** The bytes of the non-ASCII characters of windows-1252. */
export const windows1252Bytes: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 128 }, (_value, index) => {
    return [new TextDecoder('windows-1252').decode(Uint8Array.of(index + 128)), index + 128] as const;
  }),
);

function requireSize(name: string, size: number): void {
  if (size <= largestScript) return;
  throw new OptionError('script', `${name} has ${prettyBytes(size)}: it cannot be a script`);
}

function isWide(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || isUnmarkedUtf16(bytes);
}

function isEndMark(bytes: Uint8Array, end: number, unit: number): boolean {
  const mark = bytes[end - unit];
  return (mark === 0x1a || mark === 0) && (unit === 1 || bytes[end - 1] === 0);
}

/** Every second byte is a NUL: this is English text in UTF-16, and cannot be anything else. */
function isUnmarkedUtf16(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 4 && bytes.length % 2 === 0 && bytes.every((byte, index) => (byte === 0) === (index % 2 === 1))
  );
}

/**
 * Refuses a file that one program began in UTF-16 and another one, such as `>>` of cmd, continued in bytes, or vice versa. One of
 * the halves would be read as nonsense.
 */
function requireOneEncoding(bytes: Uint8Array, name: string): void {
  if (isWide(bytes)) {
    // In UTF-16, a NUL follows the carriage return.
    const at = bytes.findIndex((byte, index) => byte === 0x0d && bytes[index + 1] === 0x0a);
    const isOdd = bytes.length % 2 === 1;
    if (at < 0 && !isOdd) return;
    throw mixed(name, lineAt(bytes.subarray(0, at < 0 ? bytes.length : at)));
  }
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return;
  const nul = bytes.findIndex((byte, index) => byte === 0 && (bytes[index - 1] ?? 0) >= 0x09);
  const letters = bytes.subarray(nul - 1).filter((_byte, index) => index % 2 === 1);
  if (nul < 1 || letters.length < 2 || letters.filter((byte) => byte === 0).length < letters.length / 2) return;
  throw mixed(name, lineAt(bytes.subarray(0, nul)));
}

function lineAt(before: Uint8Array): number {
  return before.filter((byte) => byte === 0x0a).length + 1;
}

function mixed(name: string, line: number): OptionError {
  const message =
    `${name} has two encodings, with a change at about line ${line}, ` +
    'as when > of PowerShell and >> of cmd write the same file; write it with one program, or save it as UTF-8';
  return new OptionError('script', message);
}
