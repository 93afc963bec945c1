// Files that another process, another version or somebody else may have written: journals, manifests, catalogues, records.

import assert from 'node:assert';
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Call } from '#lib/call/call';
import { readHolds, holdState } from '#lib/hold/hold-record';
import { isExtentName, readCatalogue } from '#lib/logs/catalogue';
import { missingExtents, reachesOn } from '#lib/logs/extents';
import { readCosts, writeCosts } from '#lib/store/costs';
import { checkLine, checkLineBytes } from '#lib/store/journal-format';
import { readJournalLists, readJournals } from '#lib/store/journals';
import { loadManifest, writeManifest } from '#lib/store/manifest';
import { isSignatureOf, readSigningKey, readVerifyingKey, signText } from '#lib/store/signature';
import { databaseLine, manifestHead } from '../samples';
import type { FuzzedParser } from './fuzzing';
import { allTexts, refusalOf, textOf } from './promises';

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** Every parser of a file; the files are written below `home`. */
export function storedFiles(home: string): readonly FuzzedParser[] {
  const place = (...names: string[]): string => {
    const directory = join(home, ...names);
    mkdirSync(directory, { recursive: true });
    return directory;
  };
  return [
    journals(place('journals', '.journal'), join(home, 'journals')),
    manifests(place('manifests')),
    databaseLists(place('lists')),
    signatures(place('signatures')),
    keys(place('keys')),
    costs(place('costs', manifestHead.id), join(home, 'costs')),
    holds(place('holds')),
    catalogues(place('logs', logId), join(home, 'logs')),
  ];
}

const journalId = '20261127T000000Z-abcdef';

function journals(directory: string, parent: string): FuzzedParser {
  const file = join(directory, `${journalId}.journal`);
  const look = async (bytes: Buffer): Promise<string> => {
    writeFileSync(file, bytes);
    const { live, leftOvers, unusable } = await readJournals(parent, '/data');
    assert.equal(live.length, 0);
    const [left] = leftOvers;
    if (left === undefined) return unusable.find(({ journal }) => journal === file)?.reason ?? 'of others';
    allTexts(left.shadows, left.volumes, left.exposures, left.temporaryFiles, left.hanging, left.newDirectories);
    for (const { file: place, original, temporary, copy } of left.restoring)
      allTexts([place, original, temporary, copy]);
    const lists = await refusalOf(readJournalLists(left), 'ERR_FILE_SYSTEM', ({ databases, copies }) => {
      allTexts(databases, copies);
      return `${databases.length} databases`;
    });
    return `${left.work}, ${lists}`;
  };
  return {
    name: 'journal',
    read: async (input) => {
      const bytes = Buffer.from(input.toString('latin1').replace('"host":"h"', `"host":"${hostname()}"`), 'latin1');
      const raw = await look(bytes);
      // Sound again, so that its contents count.
      const lines = bytes.subarray(0, Math.max(0, bytes.length - checkLineBytes));
      const sealed = await look(sealedJournal(lines));
      const paths = [textOf(input), '/data/b.nsf', textOf(input.subarray(0, 9))];
      const end = lines.indexOf('\n');
      const head = end < 0 ? '' : lines.subarray(0, end).toString();
      if (head.includes('"databasesInBackupMode":2,"copiedFiles":1')) {
        const texts = paths.map((path) => `${JSON.stringify(path)}\n`).join('');
        writeFileSync(file, sealedJournal(Buffer.from(`${head}\n${texts}`)));
        const { leftOvers } = await readJournals(parent, '/data');
        for (const left of leftOvers) {
          const { databases, copies } = await readJournalLists(left);
          assert.deepEqual([...databases, ...copies], paths);
        }
      }
      return `${raw}; ${sealed}`;
    },
  };
}

function sealedJournal(lines: Buffer): Buffer {
  return Buffer.concat([lines, Buffer.from(checkLine(createHash('sha256').update(lines)))]);
}

function manifests(directory: string): FuzzedParser {
  const file = join(directory, 'manifest.json');
  const look = async (text: Buffer | string): Promise<string> => {
    writeFileSync(file, text);
    return refusalOf(loadManifest(directory), 'ERR_MANIFEST', (manifest) => {
      allTexts([manifest.id, manifest.dataDirectory, manifest.provider.name, manifest.databasesSha256]);
      for (const { code, message } of manifest.warnings) allTexts([code, message]);
      for (const { root, path } of manifest.volumes) allTexts([root, path]);
      assert(Number.isInteger(manifest.counts.captured) && manifest.counts.captured >= 0);
      return manifest.outcome;
    });
  };
  return {
    name: 'manifest',
    read: async (input) => {
      const sealed = withHash(input, 2);
      return `${await look(input)}; ${sealed === undefined ? '' : await look(sealed)}`;
    },
  };
}

/** The JSON object of an input with the hash that its writer would have added; undefined if it is none. */
function withHash(input: Buffer, indent: number): string | undefined {
  try {
    const contents = JSON.parse(input.toString()) as Record<string, unknown>;
    delete contents['sha256'];
    return `${JSON.stringify({ ...contents, sha256: sha256(JSON.stringify(contents)) }, null, indent)}\n`;
  } catch {
    return undefined;
  }
}

function databaseLists(directory: string): FuzzedParser {
  const read = async (): Promise<string[]> => {
    const found = [];
    for await (const { index, path, file, delta } of (await loadManifest(directory)).databases()) {
      allTexts([path, file, delta]);
      assert(!/\0|^\/|(^|\/)\.\.(\/|$)/.test(path) && Number.isInteger(index));
      found.push(path);
    }
    return found;
  };
  const head = (captured: number, databasesSha256: string) => ({
    ...manifestHead,
    counts: { ...manifestHead.counts, captured },
    databasesSha256,
  });
  return {
    name: 'databases',
    read: async (input) => {
      const path = textOf(input).replace(/^\/+/, '').replaceAll('..', '.');
      const paths = [path === '' ? 'a.nsf' : path, 'b.nsf'];
      await writeManifest(
        directory,
        paths.map((each, index) => ({ ...databaseLine, index, path: each })),
        (hash) => head(2, hash),
      );
      assert.deepEqual(await read(), paths);
      const whole = withHash(Buffer.from(JSON.stringify(head(lineCount(input), sha256(input)))), 2) ?? '';
      writeFileSync(join(directory, 'manifest.json'), whole);
      writeFileSync(join(directory, 'databases.ndjson'), input);
      return refusalOf(read(), 'ERR_MANIFEST', (found) => `${found.length} databases`);
    },
  };
}

const lineCount = (bytes: Buffer): number =>
  bytes.toString().split('\n').length - (bytes.length === 0 || bytes.at(-1) === 0x0a ? 1 : 0);

// For these tests only.
const privateKey = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----
`;

function signatures(directory: string): FuzzedParser {
  const key = createPrivateKey(privateKey);
  const publicKey = createPublicKey(key);
  const text = withHash(Buffer.from(JSON.stringify(manifestHead)), 2) ?? '';
  const right = Buffer.from(signText(text, key), 'base64');
  writeFileSync(join(directory, 'manifest.json'), text);
  return {
    name: 'signature',
    read: async (input) => {
      writeFileSync(join(directory, 'manifest.sig'), input);
      assert(isSignatureOf(textOf(input), signText(textOf(input), key), publicKey));
      return refusalOf(loadManifest(directory, publicKey), 'ERR_SIGNATURE', () => {
        assert(Buffer.from(input.toString('latin1'), 'base64').equals(right));
        return 'signed';
      });
    },
  };
}

function keys(directory: string): FuzzedParser {
  const file = join(directory, 'key.pem');
  return {
    name: 'key',
    read: async (input) => {
      writeFileSync(file, input);
      const outcomes = [];
      for (const [read, type] of [
        [readSigningKey, 'private'],
        [readVerifyingKey, 'public'],
      ] as const) {
        outcomes.push(
          await refusalOf(read(file, 'signKey'), 'ERR_OPTION', (key) => {
            assert.deepEqual([key.type, key.asymmetricKeyType], [type, 'ed25519']);
            return type;
          }),
        );
      }
      return outcomes.join('; ');
    },
  };
}

function costs(directory: string, parent: string): FuzzedParser {
  return {
    name: 'costs',
    read: async (input) => {
      const dataDirectory = `/d${textOf(input.subarray(0, 20)).replaceAll('\n', '')}`;
      const paths = textOf(input).split('\n');
      const costOf = (index: number) => ({ costUs: index, writeRate: 2 * index });
      await writeCosts(directory, dataDirectory, paths, costOf);
      const back = await readCosts(parent, dataDirectory);
      assert.deepEqual([...back.keys()], [...new Set(paths)]);
      writeFileSync(join(directory, 'costs.txt'), input);
      const found = await readCosts(parent, '/data');
      for (const [path, { costUs, writeRate }] of found) {
        allTexts([path]);
        assert(costUs >= 0 && writeRate >= 0 && Number.isFinite(costUs + writeRate));
      }
      return `${found.size} costs`;
    },
  };
}

function holds(directory: string): FuzzedParser {
  return {
    name: 'hold',
    read: async (input) => {
      writeFileSync(join(directory, `${journalId}.json`), input);
      const [record] = await readHolds(directory);
      if (record === undefined) return 'none';
      const { id, deltaDirectory, databases, volumes, heldAt, deadline, channel, end } = record;
      assert.match(id, /^\d{8}T\d{6}Z-[0-9a-f]{6}$/);
      allTexts([deltaDirectory, heldAt, deadline, channel], volumes);
      assert(Number.isInteger(databases));
      if (end && 'error' in end) allTexts([end.error.code, end.error.message]);
      return `${holdState(record)} ${Object.keys(end ?? {}).join()}`;
    },
  };
}

const logId = '0807060504030201100F0E0D0C0B0A09';

function catalogues(directory: string, archive: string): FuzzedParser {
  const look = async (text: Buffer | string): Promise<string> => {
    writeFileSync(join(directory, 'catalogue.json'), text);
    const call = new Call({ timeoutMs: 60_000, phase: 'archive' });
    return refusalOf(readCatalogue(archive, logId, call), 'ERR_LOG_ARCHIVE', (catalogue) => {
      assert(catalogue?.logId === logId);
      allTexts([catalogue.dataDirectory], catalogue.removing);
      for (const { number, name, sizeBytes, sha256: hash, archived } of catalogue.extents) {
        allTexts([name, hash, archived]);
        assert(isExtentName(name) && Number.isInteger(number) && Number.isInteger(sizeBytes));
      }
      const numbers = catalogue.extents.map(({ number }) => number);
      const { first = 0 } = { first: numbers[0] };
      const names = {
        names: textOf(Buffer.from(text))
          .split(/[",\n]/)
          .filter(isExtentName),
      };
      const missing = missingExtents(first, names, numbers);
      assert(missing === undefined || missing.first <= missing.last);
      return `${numbers.length} extents, ${String(reachesOn(first, names, numbers))}`;
    });
  };
  return {
    name: 'log-catalogue',
    read: async (input) => {
      const sealed = withHash(input, 1);
      return `${await look(input)}; ${sealed === undefined ? '' : await look(sealed)}`;
    },
  };
}
