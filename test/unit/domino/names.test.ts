import fc from 'fast-check';
import { Aliases } from '#lib/domino/aliases';
import type { Catalog } from '#lib/domino/catalog';
import { matcher, withSlashes } from '#lib/domino/globs';
import { Selector, type SelectionOptions } from '#lib/domino/selection';

function catalogOf(paths: readonly string[], aliases: Catalog['aliases'] = []): Catalog {
  return {
    paths,
    files: paths.map((path) => `/data/${path}`),
    fileIds: paths,
    aliases,
    sizeBytes: new Float64Array(paths.length),
    allocatedBytes: new Float64Array(paths.length),
    modifiedMs: new Float64Array(paths.length),
    volumeIndex: new Uint16Array(paths.length),
    volumes: [],
    problems: [],
  };
}

async function choose(catalog: Catalog, options: SelectionOptions) {
  const selector = new Selector(options);
  const rules = selector.rulesFor(catalog);
  const { indexes, notices, unmetRequired } = await selector.select(catalog, undefined, rules);
  return {
    paths: indexes.map((index) => catalog.paths[index]),
    notices: [...notices, ...rules.unmatched()],
    unmetRequired,
  };
}

const paths = [
  'names.nsf',
  'mail/ada.nsf',
  'mail/team/bob.nsf',
  'mailbox/carl.nsf',
  'a[1].nsf',
  '!x.nsf',
  'dir(1)/y.nsf',
];

describe('a database is found', () => {
  test.each([
    // As Domino shows it, on every system (D3).
    ['mail\\ada.nsf', ['mail/ada.nsf']],
    ['mail\\*', ['mail/ada.nsf']],
    ['MAIL\\\\**', ['mail/ada.nsf', 'mail/team/bob.nsf']],
    ['./mail//ada.nsf', ['mail/ada.nsf']],
    // A directory, by its name (D4).
    ['mail', ['mail/ada.nsf', 'mail/team/bob.nsf']],
    ['mail/', ['mail/ada.nsf', 'mail/team/bob.nsf']],
    ['MAIL\\', ['mail/ada.nsf', 'mail/team/bob.nsf']],
    ['mail\\team', ['mail/team/bob.nsf']],
    ['mail*/', ['mail/ada.nsf', 'mail/team/bob.nsf', 'mailbox/carl.nsf']],
    ['mail*', []],
    ['*', ['names.nsf', 'a[1].nsf', '!x.nsf']],
    // Names that look like globs.
    ['a[1].nsf', ['a[1].nsf']],
    ['dir(1)/', ['dir(1)/y.nsf']],
    ['dir(1)\\y.nsf', ['dir(1)/y.nsf']],
    // No negation.
    ['!mail/ada.nsf', []],
    ['!x.nsf', ['!x.nsf']],
    ['!(mail)/**', []],
    ['!*.nsf', ['!x.nsf']],
    ['!!*.nsf', []],
    ['!**', ['!x.nsf']],
    ['!mail/', []],
  ])('by %j', (glob, expected) => {
    expect(paths.filter(matcher([glob]))).toEqual(expected);
  });

  const segment = fc
    .string({ minLength: 1, maxLength: 8, unit: 'grapheme' })
    .map((text) => text.replace(/[/\\\0]/g, '_'))
    .filter((text) => text !== '.' && text !== '..');
  const anyPath = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `${parts.join('/')}.nsf`);

  test('by its own path, whatever characters are in it, with either slash, and without regard to case', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        expect(matcher([path])(path)).toBe(true);
        expect(matcher([path.replaceAll('/', '\\')])(path)).toBe(true);
        expect(matcher([path.toLowerCase()])(path)).toBe(true);
        const directory = path.slice(0, path.lastIndexOf('/') + 1);
        if (directory !== '') expect(matcher([directory])(path)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('and only that one by its path, if the path has no glob characters', () => {
    const plain = anyPath.filter((path) => !/[*?[\]{}()|]/.test(path));
    fc.assert(
      fc.property(plain, anyPath, (one, other) => {
        fc.pre(one.toLowerCase() !== other.toLowerCase() && !other.toLowerCase().startsWith(`${one.toLowerCase()}/`));
        expect(matcher([one])(other)).toBe(false);
        expect(matcher([`!${one}`])(one)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('or not, but a glob never fails', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), anyPath, (glob, path) => {
        expect(typeof matcher([glob])(path)).toBe('boolean');
        expect(withSlashes(withSlashes(glob))).toBe(withSlashes(glob));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('aliases', () => {
  const list = [
    { alias: 'aalias.nsf', path: 'mail/db1.nsf' },
    { alias: 'mailalias/', path: 'mail/' },
    { alias: 'mail/apps/', path: 'apps/' },
    { alias: 'mail/up/', path: '' },
  ];
  const aliases = new Aliases(list);

  test.each([
    ['aalias.nsf', 'mail/db1.nsf'],
    ['AALIAS.NSF', 'mail/db1.nsf'],
    ['mailalias/db1.nsf', 'mail/db1.nsf'],
    ['mailalias/apps/x.nsf', 'apps/x.nsf'],
    ['mail/up/mail/up/mailalias/db1.nsf', 'mail/db1.nsf'],
    ['mail/db1.nsf', 'mail/db1.nsf'],
    ['mailaliases/db1.nsf', 'mailaliases/db1.nsf'],
  ])('%s is %s', (alias, path) => {
    expect(aliases.resolve(alias)).toBe(path);
    expect(matcher([alias], aliases)(path)).toBe(true);
    expect(matcher([alias.replaceAll('/', '\\')], aliases)(path)).toBe(true);
  });

  test('are all names of a database, one step long', () => {
    expect(aliases.namesOf('mail/db1.nsf')).toEqual(['aalias.nsf', 'mail/up/mail/db1.nsf', 'mailalias/db1.nsf']);
    expect(aliases.namesOf('names.nsf')).toEqual(['mail/up/names.nsf']);
  });

  test('count in globs', () => {
    const databases = ['mail/db1.nsf', 'apps/x.nsf', 'names.nsf'];
    expect(databases.filter(matcher(['mailalias/*'], aliases))).toEqual(['mail/db1.nsf']);
    expect(databases.filter(matcher(['mailalias'], aliases))).toEqual(['mail/db1.nsf']);
    expect(databases.filter(matcher(['mailalias/apps/*'], aliases))).toEqual(['apps/x.nsf']);
    expect(databases.filter(matcher(['mailalias/'], aliases))).toEqual(['mail/db1.nsf']);
    expect(databases.filter(matcher(['mail/up'], aliases))).toEqual(databases);
    // Not all databases, although each has a name below mail: mail/up/… .
    expect(databases.filter(matcher(['mail'], aliases))).toEqual(['mail/db1.nsf']);
    expect(databases.filter(matcher(['mail/**'], aliases))).toEqual(['mail/db1.nsf']);
  });

  test('that lead in circles end', () => {
    const circle = new Aliases([
      { alias: 'a/', path: 'b/' },
      { alias: 'b/', path: 'a/' },
      { alias: 'c/', path: 'c/c/' },
    ]);
    expect(circle.resolve('a/x.nsf')).toMatch(/^[ab]\/x\.nsf$/);
    expect(circle.resolve('c/x.nsf')).toMatch(/^(c\/)+x\.nsf$/);
  });

  test('every name of every database is the name of that database', () => {
    const segment = fc.constantFrom('a', 'b', 'c', 'mail');
    const directory = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join('/')}/`);
    const pairList = fc.array(fc.tuple(directory, directory), { maxLength: 4 });
    fc.assert(
      fc.property(pairList, directory, (pairs, place) => {
        // The name of an alias is a real path except for its last part, and no real path leads through it.
        const some = new Aliases(pairs.map(([where, path], index) => ({ alias: `${where}link${index}/`, path })));
        const path = `${place}x.nsf`;
        for (const name of some.namesOf(path)) {
          expect(matcher([name], some)(path)).toBe(true);
          expect(some.resolve(name)).toBe(path);
        }
      }),
    );
  });

  test('include, exclude and require a database', async () => {
    const catalog = catalogOf(['mail/db1.nsf', 'names.nsf'], list);
    expect(await choose(catalog, { include: ['aalias.nsf'] })).toMatchObject({ paths: ['mail/db1.nsf'], notices: [] });
    expect(await choose(catalog, { required: ['mailalias\\*'] })).toMatchObject({ unmetRequired: [], notices: [] });
    const excluded = await choose(catalog, { exclude: ['mailalias'] });
    expect(excluded).toMatchObject({
      paths: ['names.nsf'],
      notices: [{ code: 'WARN_EXCLUDED_BY_ALIAS', subjects: ['mail/db1.nsf'] }],
    });
  });
});

describe('notices', () => {
  test('name each glob that matches nothing (D4)', async () => {
    const { notices } = await choose(catalogOf(paths), {
      include: ['mail/**', 'nosuch/**', '!names.nsf'],
      exclude: ['mail/ada.nsf', '*.box'],
      required: ['nothing.nsf'],
    });
    expect(notices).toEqual([
      { code: 'WARN_GLOB_UNMATCHED', text: 'include "nosuch/**" matches no database', subjects: ['nosuch/**'] },
      {
        code: 'WARN_GLOB_UNMATCHED',
        text: 'include "!names.nsf" matches no database; a leading ! does not negate',
        subjects: ['!names.nsf'],
      },
      { code: 'WARN_GLOB_UNMATCHED', text: 'exclude "*.box" matches no database', subjects: ['*.box'] },
    ]);
  });

  test('name what a server rebuilds, which is left out unless it is named (D7)', async () => {
    const rebuilt = ['daoscat.nsf', 'dbdirman.nsf', 'cldbdir.nsf'];
    const catalog = catalogOf([...rebuilt, 'names.nsf', 'apps/dbdirman.nsf']);
    const byDefault = await choose(catalog, {});
    expect(byDefault.paths).toEqual(['names.nsf', 'apps/dbdirman.nsf']);
    expect(byDefault.notices).toMatchObject([{ code: 'INFO_REBUILT_BY_SERVER', subjects: rebuilt }]);
    expect((await choose(catalog, { include: ['*.nsf'] })).paths).toEqual(['names.nsf']);
    expect((await choose(catalog, { include: ['DBDIRMAN.nsf', 'names.nsf'] })).paths).toEqual([
      'dbdirman.nsf',
      'names.nsf',
    ]);
  });
});
