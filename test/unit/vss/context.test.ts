import fc from 'fast-check';
import { OptionError } from '#lib/errors/errors';
import { checkVss, checkWriters, resolveVss, type VssOptions, type WritersOption } from '#lib/vss/context';
import { attributeBits, contextBits } from '#lib/vss/words';

const noAutoRecovery = 0x2;

describe('the context that follows from lifetime and writers', () => {
  test.each<[string, Parameters<typeof resolveVss>[0], number]>([
    ['volatile without writers', {}, 0x10],
    ['the same, said', { lifetime: 'backup', writers: 'none' }, 0x10],
    ['volatile with writers', { writers: 'all' }, 0x00 | noAutoRecovery],
    ['volatile with some writers', { writers: { exclude: ['System Writer'] } }, 0x00 | noAutoRecovery],
    ['persistent without writers', { lifetime: 'persistent' }, 0x19],
    ['persistent with writers', { lifetime: 'persistent', writers: 'all' }, 0x09 | noAutoRecovery],
    ['an expert context', { vss: { context: 'client-accessible' } }, 0x1d],
    ['one with writers', { vss: { context: 'client-accessible-writers' } }, 0x0d | noAutoRecovery],
    [
      'persistent for VSS, gone at the end of the backup',
      { lifetime: 'backup', vss: { context: 'nas-rollback' } },
      0x19,
    ],
    ['auto-recovery asked for', { writers: 'all', vss: { autoRecovery: true } }, 0x00],
    ['auto-recovery that an attribute needs', { writers: 'all', vss: { attributes: ['txf-recovery'] } }, 0x200_0000],
    ['no auto-recovery, said without writers', { vss: { autoRecovery: false } }, 0x10 | noAutoRecovery],
    [
      'attributes',
      { lifetime: 'persistent', vss: { attributes: ['transportable', 'plex', 'not-transacted'] } },
      0x19 | 0x20 | 0x4_0000 | 0x80,
    ],
  ])('%s', (_what, options, expected) => {
    expect(resolveVss(options).native.context.toString(16)).toBe(expected.toString(16));
  });

  test('the writer of Domino is left out unless its databases are none of ours', () => {
    expect(resolveVss({}).native.excludeDomino).toBe(true);
    expect(resolveVss({ source: 'domino' }).native.excludeDomino).toBe(true);
    expect(resolveVss({ source: 'volumes' }).native.excludeDomino).toBe(false);
  });

  test('stopping at Thaw needs a writer, and only our own', () => {
    const vss = { stopAt: 'thaw' } as const;
    const own = { stopAtThaw: true, onlyThawSignal: true };
    expect(resolveVss({}).native).toMatchObject({ stopAtThaw: false, onlyThawSignal: false });
    expect(resolveVss({ vss })).toMatchObject({ context: 'backup', withWriters: true, native: own });
    expect(resolveVss({ vss, lifetime: 'persistent', writers: 'none' })).toMatchObject({
      context: 'app-rollback',
      native: own,
    });
    expect(resolveVss({ vss, writers: 'all' }).native).toMatchObject({ stopAtThaw: true, onlyThawSignal: false });
    expect(resolveVss({ vss: { stopAt: 'end' } }).context).toBe('file-share-backup');
  });

  test('what is set up besides', () => {
    expect(resolveVss({}).native).toMatchObject({ providerId: '', backupType: 5, componentMode: false });
    const vss = { providerId: 'B5946137-7B9F-4925-AF80-51ABD60B20D5', backupType: 'full' } as const;
    expect(resolveVss({ writers: 'all', vss }).native).toMatchObject({
      providerId: '{b5946137-7b9f-4925-af80-51abd60b20d5}',
      backupType: 1,
    });
    const writers = { exclude: ['ASR Writer:\\BCD\\BCD'], verify: ['Registry Writer'] };
    expect(resolveVss({ writers })).toMatchObject({
      withWriters: true,
      persistent: false,
      native: { componentMode: true, excludeWriters: writers.exclude, verifyWriters: writers.verify },
    });
  });
});

test.each<[Parameters<typeof resolveVss>[0], string, RegExp]>([
  [{ lifetime: 'persistent', vss: { context: 'backup' } }, 'vss.context', /is deleted with the backup/],
  [{ writers: 'none', vss: { context: 'app-rollback' } }, 'writers', /writers take part in the context "app-rollback"/],
  [{ writers: 'all', vss: { context: 'nas-rollback' } }, 'writers', /no writer takes part/],
  [{ vss: { context: 'nas-rollback', stopAt: 'thaw' } }, 'vss.stopAt', /Thaw is not reported; use "backup"/],
  [{ writers: { verify: ['x'] }, vss: { context: 'file-share-backup' } }, 'writers', /no writer takes part/],
  [{ vss: { componentMode: true } }, 'vss.componentMode', /is for writers/],
  [{ vss: { backupType: 'copy' } }, 'vss.backupType', /is for writers/],
  [{ lifetime: 'persistent', vss: { backupType: 'full' } }, 'vss.backupType', /is for writers/],
  [{ vss: { bootableSystemState: true } }, 'vss.bootableSystemState', /is for writers/],
  [{ vss: { autoRecovery: true } }, 'vss.autoRecovery', /done by writers/],
  [{ vss: { attributes: ['differential', 'plex'] } }, 'vss.attributes', /not both/],
  [{ vss: { context: 'client-accessible', attributes: ['transportable'] } }, 'vss.attributes', /cannot be/],
  [
    { writers: 'all', vss: { autoRecovery: false, attributes: ['rollback-recovery'] } },
    'vss.attributes',
    /kind of auto-recovery/,
  ],
  [{ writers: { exclude: ['W:\\a'] }, vss: { componentMode: false } }, 'vss.componentMode', /needs component mode/],
])('an impossible pair is refused in words: %j', (options, option, message) => {
  const refused = (): unknown => resolveVss(options);
  expect(refused).toThrow(OptionError);
  expect(refused).toThrow(message);
  expect(refused).toThrow(expect.objectContaining({ option }) as Error);
});

test.each<[unknown, unknown]>([
  [{ context: 'volatile' }, undefined],
  [{ providerId: 'hardware' }, undefined],
  [{ backupType: 'COPY' }, undefined],
  [{ attributes: 'plex' }, undefined],
  [{ attributes: ['persistent'] }, undefined],
  [{ contxt: 'backup' }, undefined],
  [undefined, 'some'],
  [undefined, { exclude: 'System Writer' }],
  [undefined, { include: [] }],
])('a wrong option is refused: %j %j', (vss, writers) => {
  expect(() => {
    if (vss !== undefined) checkVss(vss, 'vss');
    if (writers !== undefined) checkWriters(writers, 'writers');
  }).toThrow(OptionError);
});

test('whatever is asked for is refused in words, or makes a context that Windows knows', () => {
  const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(arbitrary, { nil: undefined });
  const names = fc.constantFrom('System Writer', 'ASR Writer:\\BCD\\BCD');
  const writers: fc.Arbitrary<WritersOption> = fc.oneof(
    fc.constantFrom('none' as const, 'all' as const),
    fc.record({ exclude: optional(fc.array(names)), verify: optional(fc.array(names)) }),
  );
  const attribute = fc.constantFrom(
    ...(['differential', 'plex', 'transportable', 'rollback-recovery', 'txf-recovery', 'not-transacted'] as const),
  );
  const vss: fc.Arbitrary<VssOptions> = fc.record({
    context: optional(fc.constantFrom(...(Object.keys(contextBits) as (keyof typeof contextBits)[]))),
    backupType: optional(fc.constantFrom('full' as const, 'copy' as const)),
    componentMode: optional(fc.boolean()),
    bootableSystemState: optional(fc.boolean()),
    attributes: optional(fc.array(attribute)),
    autoRecovery: optional(fc.boolean()),
  });
  const options = fc.record({
    lifetime: optional(fc.constantFrom('backup' as const, 'persistent' as const)),
    writers: optional(writers),
    vss: optional(vss),
  });
  let accepted = 0;
  fc.assert(
    fc.property(options, (given) => {
      let resolved;
      try {
        resolved = resolveVss(given);
      } catch (error) {
        expect(error).toBeInstanceOf(OptionError);
        return;
      }
      accepted += 1;
      const { context, persistent, withWriters, native } = resolved;
      const has = (word: keyof typeof attributeBits): boolean => (native.context & attributeBits[word]) !== 0;
      expect(native.context & 0x1d).toBe(contextBits[context]);
      expect(has('persistent') || has('transportable')).toBe(persistent);
      expect(has('persistent')).toBe(has('no-auto-release'));
      expect(has('no-writers')).toBe(!withWriters);
      expect(has('differential') && has('plex')).toBe(false);
      expect(has('transportable') && has('client-accessible')).toBe(false);
      expect((has('rollback-recovery') || has('txf-recovery')) && has('no-autorecovery')).toBe(false);
      // Recovery changes the shadow: it happens only on request.
      if (withWriters && !has('no-autorecovery')) {
        expect(given.vss?.autoRecovery === true || has('rollback-recovery') || has('txf-recovery')).toBe(true);
      }
      if (given.lifetime === 'persistent') expect(has('persistent')).toBe(true);
      if (given.vss?.context !== undefined) expect(context).toBe(given.vss.context);
      if (given.writers !== undefined) expect(withWriters).toBe(given.writers !== 'none');
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(100);
});
