import fc from 'fast-check';
import type { Catalog } from '#lib/domino/catalog';
import { compareWithCatalog, isServerDatabase, takeSelected } from '#lib/domino/databases';
import { matcher } from '#lib/domino/globs';
import { Selector } from '#lib/domino/selection';

function catalogOf(
  paths: readonly string[],
  fileIds: readonly string[] = paths,
  aliases: Catalog['aliases'] = [],
): Catalog {
  return {
    paths,
    files: paths.map((path) => `/data/${path}`),
    sizeBytes: new Float64Array(paths.length).fill(10),
    modifiedMs: new Float64Array(paths.length),
    volumeIndex: Uint16Array.from(paths, (path) => (path.startsWith('ext/') ? 1 : 0)),
    fileIds,
    aliases,
    allocatedBytes: new Float64Array(paths.length).fill(10),
    volumes: ['/data', '/ext', '/unused'].map((path) => ({
      path,
      mountPoint: path,
      fileSystem: 'xfs',
      device: path,
      isSubvolume: false,
      freeBytes: 0,
    })),
    problems: [],
  };
}

async function select(
  paths: readonly string[],
  options: ConstructorParameters<typeof Selector>[0],
): Promise<readonly (string | undefined)[]> {
  const { indexes } = await new Selector(options).select(catalogOf(paths));
  return indexes.map((index) => paths[index]);
}

const paths = ['names.nsf', 'mail/Ada.nsf', 'mail/team/bob.nsf', 'mail1.box', 'Büro/Ärger.nsf'];

describe('globs', () => {
  test.each([
    [{}, paths],
    [{ include: ['*.nsf'] }, ['names.nsf']],
    [{ include: ['**/*.nsf'] }, paths.filter((path) => path.endsWith('.nsf'))],
    [{ include: ['MAIL/**'] }, ['mail/Ada.nsf', 'mail/team/bob.nsf']],
    [{ include: ['mail/*', 'names.nsf'] }, ['names.nsf', 'mail/Ada.nsf']],
    [{ exclude: ['mail/**', '*.box'] }, ['names.nsf', 'Büro/Ärger.nsf']],
    [{ include: ['mail/**'], exclude: ['**/bob.nsf'] }, ['mail/Ada.nsf']],
    [{ include: ['büro/ärger.nsf'] }, ['Büro/Ärger.nsf']],
  ])('%j', async (options, expected) => {
    expect(await select(paths, options)).toEqual(expected);
  });

  test('an exact path selects exactly itself, and exclusion always wins', async () => {
    const segment = fc.stringMatching(/^[a-z0-9]{1,6}$/);
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join('/')}.nsf`);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(path, { minLength: 1, maxLength: 8 }), async (all) => {
        const [one] = all;
        expect(await select(all, { include: [one!] })).toEqual([one]);
        expect(await select(all, { include: ['**'], exclude: [one!] })).toEqual(all.slice(1));
        expect(await select(all, { include: ['**/*.NSF'] })).toEqual(all);
      }),
    );
  });

  test.each(['**', 'mail/**', 'mail/*', '**/*.nsf', 'mail/a?b.nsf'])('%s matches a name with a line feed', (glob) => {
    for (const name of ['mail/a\nb.nsf', 'mail/a\rb.nsf', 'mail/a\u2028b.nsf'])
      expect(matcher([glob])(name)).toBe(true);
  });

  test('no globs match nothing', () => {
    expect(matcher([])('names.nsf')).toBe(false);
  });
});

test('what Domino rebuilds, and our own shadows, stay out', async () => {
  const transient = [
    'daoscat.nsf',
    'IBM_TECHNICAL_SUPPORT/dump.nsf',
    'x.dtf',
    'x.ft',
    'a/pid.nbf',
    'link/.domino-vss/a/0/names.nsf',
  ];
  expect(await select([...transient, 'names.nsf'], {})).toEqual(['names.nsf']);
});

test('one file behind two names takes part once', async () => {
  const catalog = catalogOf(['a.nsf', 'b.nsf', 'c.nsf'], ['1', '2', '1']);
  const reasons: unknown[] = [];
  const selection = await new Selector({}).select(catalog, (index, reason) => reasons.push([index, reason]));
  expect(selection.indexes).toEqual([0, 1]);
  expect(reasons).toEqual([[2, 'duplicate']]);
});

test('required globs say what they hit and which of them hit nothing', async () => {
  const selection = await new Selector({ include: ['mail/**'], required: ['names.nsf', 'mail/a*.nsf'] }).select(
    catalogOf(paths),
  );
  expect([...selection.required]).toEqual([0]);
  expect(selection.unmetRequired).toEqual(['names.nsf']);
});

test('only volumes that hold a selected database count', async () => {
  const catalog = catalogOf(['names.nsf', 'ext/far.nsf']);
  const databases = await takeSelected('/data', catalog, { indexes: [1], required: new Set() });
  expect(databases.volumes.map(({ path }) => path)).toEqual(['/ext']);
  expect([...databases.volumeIndex]).toEqual([0]);
  expect(databases.sizeBytes).toBe(10);
});

test.each([
  ['names.nsf', true],
  ['MAIL.BOX', true],
  ['mail12.box', true],
  ['log.nsf', true],
  ['mail/names.nsf', false],
  ['mynames.nsf', false],
])('%s is a server database: %s', (path, expected) => {
  expect(isServerDatabase(path)).toBe(expected);
});

test('the event loop turns while 100 000 databases are selected and compared', async () => {
  const many = Array.from({ length: 100_000 }, (_value, index) => `mail/user${index}.nsf`);
  const catalog = catalogOf(many);
  const selector = new Selector({ exclude: ['apps/**'], required: ['mail/user7.nsf'] });
  let turns = 0;
  let timer = setImmediate(function turn() {
    turns += 1;
    timer = setImmediate(turn);
  });
  const selection = await selector.select(catalog);
  const databases = await takeSelected('/data', catalog, selection);
  const changes = await compareWithCatalog(databases, catalog, selector);
  clearImmediate(timer);
  expect(changes).toMatchObject({ appeared: [], vanished: [], replaced: [] });
  // Slices of 4 ms in a quarter of a second of work; their real length depends on the machine.
  expect(turns).toBeGreaterThan(10);
});
