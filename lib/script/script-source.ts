import { readFile } from 'node:fs/promises';

/** Reads a script file, whatever editor has written it. */
export async function readScriptFile(path: string): Promise<string> {
  return decodeText(await readFile(path));
}

/** UTF-8, UTF-16 with a byte order mark, or, where it is no UTF-8, the Windows code page of western Europe. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
