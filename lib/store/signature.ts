import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { readFile } from '../call/files';
import { OptionError } from '../errors/errors';
import { warning, type Warning } from '../errors/warnings';

const othersRead = 0o004;

/**
 * Signatures of manifests: Ed25519 over the text of manifest.json. This contains the SHA-256 of databases.ndjson, which contains
 * those of the deltas, the copies and the hashed parts of the shadows. So one signature covers everything.
 */

/** Reads a private key for signing, before anything is begun, and rejects an invalid one. */
export async function readSigningKey(file: string, option: string): Promise<KeyObject> {
  return readKey(file, option, 'private', createPrivateKey);
}

/**
 * A warning if every user of this machine can read a private key, and with it sign forged manifests. Windows has no such bit: its
 * access lists are not examined.
 */
export async function signingKeyWarnings(file: string | undefined): Promise<readonly Warning[]> {
  if (file === undefined || process.platform === 'win32') return [];
  const { mode } = await stat(file);
  if ((mode & othersRead) === 0) return [];
  const message = `every user of this machine can read the private key ${file}, and sign with it: chmod go-rwx ${file}`;
  return [warning('WARN_KEY_READABLE', message, { subjects: [file] })];
}

/** Reads the public key for checking signatures. */
export async function readVerifyingKey(file: string, option: string): Promise<KeyObject> {
  return readKey(file, option, 'public', createPublicKey);
}

async function readKey(
  file: string,
  option: string,
  kind: 'private' | 'public',
  create: (pem: string) => KeyObject,
): Promise<KeyObject> {
  const refuse = (what: string): never => {
    throw new OptionError(option, `${option}: ${file} ${what}`);
  };
  const pem = await readFile(file, 'utf8').catch((error: unknown) =>
    refuse(`cannot be read: ${(error as Error).message}`),
  );
  let key: KeyObject;
  try {
    key = create(pem);
  } catch {
    return refuse(`contains no ${kind} key in PEM (without a passphrase)`);
  }
  if (key.asymmetricKeyType !== 'ed25519')
    return refuse(`contains a key of type ${key.asymmetricKeyType}, not ed25519`);
  return key;
}

/** The signature of a text, as one line of base64. */
export function signText(text: string, key: KeyObject): string {
  return `${sign(null, Buffer.from(text), key).toString('base64')}\n`;
}

/** Whether `signature` was made from exactly this text, with the private key that belongs to `key`. */
export function isSignatureOf(text: string, signature: string, key: KeyObject): boolean {
  return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'));
}
