import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import { readCosts, writeCosts, type Cost } from '#lib/store/costs';
import type { NativeDatabases } from '#lib/native/session';
import { FakeDomino } from '../fake-binding';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'domino-vss-costs-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const cost = (costUs: number): Cost => ({ costUs, writeRate: 0 });

function backup(id: string): string {
  const path = join(directory, id);
  mkdirSync(path);
  return path;
}

test('what one backup has measured the next one reads', async () => {
  const paths = Array.from({ length: 2500 }, (_value, index) => `mail/name with blanks ${index}.nsf`);
  await writeCosts(backup('20260101T000000Z-a'), '/data', paths, (index) =>
    index === 7 ? undefined : { costUs: index / 4, writeRate: 2 * index },
  );
  const costs = await readCosts(directory, '/data');
  expect(costs.size).toBe(2499);
  expect(costs.get(paths[2499]!)).toEqual({ costUs: 625, writeRate: 4998 });
  expect(costs.has(paths[7]!)).toBe(false);
});

test('the latest backup of the same data directory counts', async () => {
  await writeCosts(backup('20260101T000000Z-a'), '/data', ['a.nsf'], () => cost(1));
  await writeCosts(backup('20260102T000000Z-a'), '/data', ['a.nsf'], () => cost(2));
  await writeCosts(backup('20260103T000000Z-a'), '/data/other', ['a.nsf'], () => cost(3));
  backup('20260104T000000Z-a');
  expect((await readCosts(directory, '/data')).get('a.nsf')).toEqual(cost(2));
});

test('nothing is known before the first backup', async () => {
  expect((await readCosts(directory, '/data')).size).toBe(0);
  expect((await readCosts(join(directory, 'none'), '/data')).size).toBe(0);
});

test('a path with a line break is left out', async () => {
  await writeCosts(backup('20260101T000000Z-a'), '/data', ['a\n5 b.nsf', 'c.nsf'], () => cost(1));
  expect([...(await readCosts(directory, '/data'))]).toEqual([['c.nsf', cost(1)]]);
});

test('what is damaged is not taken, and not an error', async () => {
  const path = backup('20260101T000000Z-a');
  await writeCosts(path, '/data', ['a.nsf', 'b.nsf'], () => cost(1));
  truncateSync(join(path, 'costs.txt'), '/data\n1 0 a.nsf\n1 0 b.n'.length);
  expect([...(await readCosts(directory, '/data'))]).toEqual([['a.nsf', cost(1)]]);
  writeFileSync(
    join(path, 'costs.txt'),
    '/data\nnonsense\nx y.nsf\n\n7 y.nsf\n7 x y.nsf\n7 -1 y.nsf\n7  y.nsf\n12 3 z.nsf\n',
  );
  expect([...(await readCosts(directory, '/data'))]).toEqual([['z.nsf', { costUs: 12, writeRate: 3 }]]);
});

test('a finished backup tells the next one', async () => {
  const domino = new FakeDomino(['a.nsf', 'b.nsf']);
  try {
    const handedOver: NativeDatabases[] = [];
    const create = domino.binding.createSession.bind(domino.binding);
    jest.spyOn(domino.binding, 'createSession').mockImplementation((options) => {
      const session = create(options);
      const add = session.add.bind(session);
      session.add = (databases) => {
        handedOver.push(databases);
        add(databases);
      };
      return session;
    });
    const options = { domino: domino.location, deltaDirectory: domino.deltaDirectory };
    for (const finish of ['endBackup', 'dispose', 'endBackup'] as const) {
      const backup = await beginBackup(() => domino.binding, options);
      await backup.createShadow();
      await backup[finish]();
    }
    // The first knows nothing, the second what the first has measured, and so does the third, because the second was abandoned.
    expect(handedOver.map(({ costsUs }) => [...costsUs])).toEqual([
      [0, 0],
      [1000, 1000],
      [1000, 1000],
    ]);
  } finally {
    domino.destroy();
  }
});
