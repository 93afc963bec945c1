import fc from 'fast-check';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duration, milliseconds, wholeNumber } from '#lib/cli/arguments';
import { NotesIni } from '#lib/domino/environment';
import { matcher } from '#lib/domino/globs';
import { isDominoVssError } from '#lib/errors/errors';
import { readManifestAliases, writeManifestXml } from '#lib/script/metadata';
import { parseHead, type JournalHead } from '#lib/store/journal-format';
import { readJournals } from '#lib/store/journals';
import { loadManifest, writeManifest } from '#lib/store/manifest';
import { databaseLine, manifestHead } from '../samples';

// Parsers of files and command lines, with arbitrary and with nearly valid input. FUZZ_RUNS is the number of inputs that
// each gets, FUZZ_SEED their seed; a failure prints the seed and the smallest input.

const seed = process.env['FUZZ_SEED'];
const parameters = {
  numRuns: Number(process.env['FUZZ_RUNS'] ?? 200),
  ...(seed !== undefined && { seed: Number(seed) }),
};
const longestMs = 3_600_000;

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-fuzz-'));
});

afterAll(() => {
  rmSync(directory, { recursive: true });
});

/** Bytes that replace part of a text, or are inserted into it. */
const damage = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.nat(20),
    put: fc.uint8Array({ maxLength: 8 }),
  }),
  { minLength: 1, maxLength: 3 },
);

function damaged(bytes: Buffer, damages: typeof damage extends fc.Arbitrary<infer T> ? T : never): Buffer {
  return damages.reduce((old, { at, removed, put }) => {
    const from = Math.floor(at * old.length);
    return Buffer.concat([old.subarray(0, from), put, old.subarray(from + removed)]);
  }, bytes);
}

const head: JournalHead = {
  format: 1,
  id: '20261127T000000Z-abcdef',
  work: 'restore',
  pid: 4711,
  processStart: '1',
  boot: 'b',
  host: 'h',
  created: '2026-11-27T00:00:00.000Z',
  dataDirectory: '/data',
  backupDirectory: '',
  provider: '',
  shadows: [],
  volumes: [],
  hook: null,
  snapshotSet: '',
  pendingHook: '',
  exposures: [],
  stoppedService: '',
  databasesInBackupMode: 0,
  copiedFiles: 0,
  restoring: [{ file: '/data/a.nsf', original: '', temporary: '', offline: true, hadOriginal: true, copy: '1:2 3 4' }],
  restorePhase: 'replacing',
  temporaryFiles: [],
  newDirectories: [],
  ended: false,
};

test('the head of a journal is one with all its fields of the right kind, or a reason', () => {
  expect(typeof parseHead(JSON.stringify({ ...head, restoring: [null] }))).toBe('string');
  const nearly = fc.tuple(fc.constantFrom(...Object.keys(head)), fc.jsonValue()).map(([name, value]) => {
    return JSON.stringify({ ...head, [name]: value });
  });
  expect(parseHead(JSON.stringify(head))).toEqual(head);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), nearly), (line) => {
      const parsed = parseHead(line);
      if (typeof parsed === 'string') {
        expect(parsed).not.toBe('');
        return;
      }
      const kinds = (of: object): string[] =>
        Object.entries(of).map(([name, value]) => `${name} ${typeof value} ${Array.isArray(value)}`);
      expect(kinds(parsed)).toEqual(expect.arrayContaining(kinds(head)));
      for (const list of [
        parsed.shadows,
        parsed.volumes,
        parsed.exposures,
        parsed.temporaryFiles,
        parsed.newDirectories,
      ]) {
        for (const entry of list) expect(typeof entry).toBe('string');
      }
      for (const database of parsed.restoring)
        expect(kinds(database)).toEqual(expect.arrayContaining(kinds(head.restoring[0] ?? {})));
    }),
    parameters,
  );
});

test(
  'other files among the journals block nothing',
  async () => {
    mkdirSync(join(directory, '.journal'));
    const file = join(directory, '.journal', `${head.id}.journal`);
    const right = Buffer.from(`${JSON.stringify(head)}\n`);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          damage.map((damages) => damaged(right, damages)),
          fc.uint8Array({ maxLength: 300 }),
        ),
        async (bytes) => {
          writeFileSync(file, bytes);
          const { live, leftOvers, unusable } = await readJournals(directory, '/data');
          expect(
            live.length + leftOvers.length + unusable.filter(({ journal }) => journal === file).length,
          ).toBeLessThanOrEqual(1);
        },
      ),
      parameters,
    );
  },
  longestMs,
);

test(
  'a damaged manifest or list of databases is refused, or says what it said',
  async () => {
    const databases = [databaseLine, { ...databaseLine, index: databaseLine.index + 1 }];
    const counts = { ...manifestHead.counts, captured: 2 };
    const manifest = await writeManifest(directory, databases, (databasesSha256) => ({
      ...manifestHead,
      counts,
      databasesSha256,
    }));
    const read = async (): Promise<unknown> => {
      const loaded = await loadManifest(directory);
      const lines = [];
      for await (const database of loaded.databases()) lines.push(database);
      return { ...loaded, databases: lines };
    };
    const right = await read();
    for (const file of [manifest, join(directory, 'databases.ndjson')]) {
      const bytes = readFileSync(file);
      await fc.assert(
        fc.asyncProperty(damage, async (damages) => {
          writeFileSync(file, damaged(bytes, damages));
          const found = await read().catch((error: unknown) => error);
          if (!isDominoVssError(found)) expect(found).toEqual(right);
        }),
        parameters,
      );
      writeFileSync(file, bytes);
    }
  },
  longestMs,
);

test('notes.ini: any bytes are read; a setting is found under its name in any case', () => {
  const file = join(directory, 'notes.ini');
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.stringMatching(/^[a-z][A-Za-z_]{1,10}$/),
      fc.stringMatching(/^[!-~]{1,20}$/),
      (bytes, name, value) => {
        writeFileSync(file, Buffer.concat([bytes, Buffer.from(`\n${name}=${value}\r\n`)]));
        expect(new NotesIni(file).get(name.toUpperCase())).toBe(value);
      },
    ),
    parameters,
  );
});

test('durations and numbers of the command line are whole numbers that a computer can count, or are refused', () => {
  const text = fc.oneof(
    fc.string(),
    fc.double().map(String),
    fc.bigInt().map(String),
    fc.stringMatching(/^[0-9eE+.x-]{1,12}$/),
    fc.constantFrom('Infinity', '1e999', '9'.repeat(400), '0x1f', ' '),
  );
  for (const parse of [duration, milliseconds, wholeNumber]) {
    fc.assert(
      fc.property(text, (value) => {
        let number: number;
        try {
          number = parse(value);
        } catch (error) {
          expect((error as { code?: string }).code).toBe('commander.invalidArgument');
          return;
        }
        expect(Number.isSafeInteger(number) && number >= 0).toBe(true);
      }),
      parameters,
    );
  }
});

test('any glob can be matched with any path, and a plain name means itself', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { maxLength: 4 }),
      fc.stringMatching(/^[a-z]{1,8}\/[a-z]{1,8}\.nsf$/),
      (globs, path) => {
        expect(typeof matcher(globs)(path)).toBe('boolean');
        expect(matcher([...globs, path])(path.toUpperCase())).toBe(true);
      },
    ),
    parameters,
  );
});

test('aliases come back out of the Manifest.xml that they were written to', () => {
  const alias = fc.record({ name: fc.string({ unit: 'grapheme' }), value: fc.string({ unit: 'grapheme' }) });
  const request = {
    context: { lifetime: 'persistent', writers: 'none' },
    backupType: 'copy',
    volumes: [],
  } as unknown as Parameters<typeof writeManifestXml>[1];
  fc.assert(
    fc.property(fc.array(alias), fc.string(), (aliases, text) => {
      expect(readManifestAliases(writeManifestXml('{set}', request, aliases))).toEqual(aliases);
      readManifestAliases(`<Manifest generator="domino-vss"${text}`);
    }),
    parameters,
  );
});
