import type { ErrorObject, ValidateFunction } from 'ajv';
import { createHash, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createReadStream, readFile, undefinedWhereMissing, readWithoutWaiting } from '../call/files';
import type { ManifestDatabase, ManifestHead } from './manifest-format';
import { linesOf } from './lines';
import { isSignatureOf, signText } from './signature';
import {
  jsonLines,
  makeDirectory,
  unfinishedFile,
  unlimited,
  writeDurably,
  writeTexts,
  type WaitingForFiles,
} from './durable';
import { counted } from '../errors/counted';
import { RestoreError } from '../errors/errors';
import { adviceOnSystemError } from '../errors/system-advice';
import { warning, type Warning } from '../errors/warnings';

/** A manifest that was read and found to be intact. */
export interface Manifest extends ManifestHead {
  /** Directory of the backup. */
  readonly directory: string;
  /** Reads the databases one by one, and throws at the end if the list is not the one that was written. */
  databases(): AsyncGenerator<ManifestDatabase, void>;
}

/** The contents of `manifest.json`. Before warnings had codes they were texts, and the hash covers them in that form. */
type WrittenHead = Omit<ManifestHead, 'warnings'> & { readonly warnings: readonly (Warning | string)[] };

/** Written last: a backup without it is unfinished. */
export const headFile = 'manifest.json';
const databasesFile = 'databases.ndjson';
const signatureName = 'manifest.sig';

let validators: { readonly head: ValidateFunction; readonly database: ValidateFunction } | undefined;

function validate(): NonNullable<typeof validators> {
  if (!validators) {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- bundlers take what is required along, and not what is read
    const schema = require('../../schema/manifest-1.json') as { readonly $id: string };
    // Half of all the package's modules, which nothing needs that reads no manifest.
    // eslint-disable-next-line @typescript-eslint/no-require-imports, @typescript-eslint/consistent-type-imports -- loaded when needed, not when imported
    const { Ajv } = require('ajv') as typeof import('ajv');
    const ajv = new Ajv({ strict: true, allowUnionTypes: true });
    const head = ajv.compile(schema);
    validators = { head, database: ajv.compile({ $ref: `${schema.$id}#/definitions/database` }) };
  }
  return validators;
}

/** The text of `manifest.json`. The hash covers every other member, so there is only one way to write them. */
function renderHead(head: WrittenHead): string {
  const sha256 = createHash('sha256').update(JSON.stringify(head)).digest('hex');
  return `${JSON.stringify({ ...head, sha256 }, null, 2)}\n`;
}

/** How a manifest is written. */
export interface ManifestWriting {
  /** Throws if the backup was cancelled. */
  readonly check?: () => void;
  /** Signs the manifest. */
  readonly key?: KeyObject | undefined;
  readonly calls?: WaitingForFiles;
}

/** Writes databases.ndjson first and manifest.json last: a backup without manifest.json is unfinished. */
export async function writeManifest(
  directory: string,
  databases: Iterable<ManifestDatabase>,
  complete: (databasesSha256: string) => ManifestHead,
  { check = () => undefined, key, calls = unlimited }: ManifestWriting = {},
): Promise<string> {
  await calls.wait('mkdir', directory, makeDirectory(directory, 0o700));
  const hash = createHash('sha256');
  const list = join(directory, databasesFile);
  const onBlock = (block: string): void => {
    check();
    hash.update(block);
  };
  const wait = (writing: Promise<void>): Promise<void> => calls.wait('write', list, writing);
  await writeDurably(list, (handle) => writeTexts(handle, jsonLines(databases), onBlock, wait), { calls });
  const text = renderHead(complete(hash.digest('hex')));
  const write = async (name: string, contents: string): Promise<string> => {
    const file = join(directory, name);
    await writeDurably(file, (handle) => calls.wait('write', file, handle.writeFile(contents)), { calls });
    return file;
  };
  if (key) await write(signatureName, signText(text, key));
  return write(headFile, text);
}

/**
 * Makes sure that a backup has no manifest.json and gets none, not even by a rename that has not returned: without its source, that
 * has no effect. Returns only if this is certain.
 */
export async function retractManifest(directory: string, calls: WaitingForFiles): Promise<void> {
  const file = join(directory, headFile);
  // The source first: a rename in between is undone by the second removal.
  for (const name of [unfinishedFile(file), file]) await calls.wait('unlink', name, rm(name, { force: true }));
}

/**
 * Reads and checks a manifest; `path` is the file or the directory of the backup. With a key it must be signed: only a signature
 * distinguishes a completely forged manifest from a genuine one.
 */
export async function loadManifest(path: string, key?: KeyObject): Promise<Manifest> {
  const file = await findManifest(path);
  const text = await readFile(file, 'utf8', readWithoutWaiting).catch((cause: unknown) => {
    // A failing disk or too many open files say nothing about the manifest.
    if (adviceOnSystemError((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
    throw manifestError(file, (cause as Error).message, cause);
  });
  if (key) await requireSignature(file, text, key);
  let parsed: WrittenHead & { sha256?: string };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch (cause) {
    throw manifestError(file, 'it is not JSON', cause);
  }
  const version: unknown = (parsed as Partial<WrittenHead> | null)?.formatVersion;
  if (typeof version === 'number' && version !== 1) {
    throw manifestError(file, `its format version is ${version}, this version of domino-vss reads 1`);
  }
  const { head: isHead } = validate();
  if (!isHead(parsed)) throw manifestError(file, explain(isHead.errors));
  const head = { ...parsed };
  delete head.sha256;
  if (renderHead(head) !== text) throw manifestError(file, 'it was changed after it was written (SHA-256)');
  const directory = dirname(file);
  // Otherwise a signed manifest of one backup would pass for another one: an old state for a new one.
  if (isBackupId(basename(directory)) && basename(directory) !== head.id) {
    throw manifestError(file, `it is the manifest of another backup, ${head.id}`);
  }
  const warnings = head.warnings.map((one) => (typeof one === 'string' ? warning('WARN_UNCODED', one) : one));
  return { ...head, warnings, directory, databases: () => readDatabases(directory, head) };
}

async function requireSignature(file: string, text: string, key: KeyObject): Promise<void> {
  const signatureFile = join(dirname(file), signatureName);
  const refuse = (message: string, cause?: unknown): never => {
    throw new RestoreError('ERR_SIGNATURE', { message, phase: 'restore', cause });
  };
  const signature = await readFile(signatureFile, 'latin1', readWithoutWaiting).catch((cause: unknown) =>
    refuse(`${file} is not signed: ${(cause as Error).message}`, cause),
  );
  if (!isSignatureOf(text, signature, key)) {
    refuse(`${signatureFile} is not a signature of ${file} by the owner of this key`);
  }
}

async function findManifest(path: string): Promise<string> {
  const found = await stat(path).catch(undefinedWhereMissing);
  return found?.isDirectory() ? join(path, headFile) : path;
}

async function* readDatabases(directory: string, head: WrittenHead): AsyncGenerator<ManifestDatabase, void> {
  const file = join(directory, databasesFile);
  const { database: isDatabase } = validate();
  const hash = createHash('sha256');
  const stream = createReadStream(file);
  stream.on('data', (chunk) => hash.update(chunk));
  let count = 0;
  try {
    for await (const line of linesOf(stream)) {
      count += 1;
      const where = `line ${count}`;
      let parsed: unknown;
      try {
        parsed = JSON.parse(line);
      } catch (cause) {
        throw manifestError(file, `${where} is not JSON`, cause);
      }
      if (!isDatabase(parsed)) throw manifestError(file, `${where}: ${explain(isDatabase.errors)}`);
      yield parsed as ManifestDatabase;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw manifestError(file, 'it is missing', error);
    throw error;
  } finally {
    stream.destroy();
    // Windows cannot remove a directory while a file in it is open.
    if (!stream.closed) await once(stream, 'close');
  }
  const expected = head.counts.captured + (head.counts.carried ?? 0);
  if (count !== expected)
    throw manifestError(file, `it contains ${counted(count, 'database')}, but manifest.json says ${expected}`);
  if (hash.digest('hex') !== head.databasesSha256) {
    throw manifestError(file, 'it is not the one that belongs to manifest.json (SHA-256)');
  }
}

function explain(errors: ErrorObject[] | null | undefined): string {
  const [first] = errors ?? [];
  if (!first) return 'it does not follow the schema';
  return `${first.instancePath === '' ? 'it' : first.instancePath} ${first.message ?? 'is wrong'}`;
}

function manifestError(file: string, what: string, cause?: unknown): RestoreError {
  return new RestoreError('ERR_MANIFEST', { message: `${file} cannot be used: ${what}`, phase: 'restore', cause });
}

/** Whether a directory of this name may be that of a backup. */
export function isBackupId(name: string): boolean {
  return /^\d{8}T\d{6}Z-[0-9a-f]{6}$/.test(name);
}

/** How many databases are read with one time limit: one for each of 100 000 would cost more than reading them. */
const readAtOnce = 256;

/** As {@link Manifest.databases}, with a time limit for the file system. */
export async function* databasesOf(manifest: Manifest, calls: WaitingForFiles): AsyncGenerator<ManifestDatabase, void> {
  const reading = manifest.databases();
  const take = async (): Promise<ManifestDatabase[]> => {
    const taken: ManifestDatabase[] = [];
    while (taken.length < readAtOnce) {
      const next = await reading.next();
      if (next.done === true) break;
      taken.push(next.value);
    }
    return taken;
  };
  try {
    for (;;) {
      const taken = await calls.wait('read', manifest.directory, take());
      yield* taken;
      if (taken.length < readAtOnce) return;
    }
  } finally {
    // If it was not read to its end, its file is still open.
    await calls.end(async () => {
      await reading.return();
    });
  }
}
