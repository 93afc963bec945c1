import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beginBackup } from '#lib/index';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;

beforeAll(async () => {
  domino = await SimulatedDomino.create({ databases: 3, pages: [4, 8], plainNames: true });
});

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
});

test.each([0, 0o777])(
  'all that a backup makes is for its owner, whatever the umask of the program is (%s)',
  async (mask) => {
    const place = mkdtempSync(join(domino.home, 'place-'));
    const before = process.umask(mask);
    try {
      await using backup = await beginBackup({
        domino: domino.location,
        deltaDirectory: join(place, 'delta'),
        shadowDirectory: join(place, 'shadow'),
        provider: 'rolling',
      });
      const set = await backup.createShadow();
      await set.copyDatabases({ to: join(place, 'copies') });
      await backup.endBackup({ keep: true });
    } finally {
      process.umask(before);
    }
    const made = readdirSync(place, { recursive: true, encoding: 'utf8' });
    const modes = made.map((name) => {
      const found = statSync(join(place, name));
      return { name, mode: (found.mode & 0o777).toString(8), wanted: found.isDirectory() ? '700' : '600' };
    });
    expect(modes.filter(({ mode, wanted }) => mode !== wanted)).toEqual([]);
    expect(made.filter((name) => name.endsWith('.nsf')).length).toBeGreaterThanOrEqual(6);
  },
);
