import { holdDatabases, type HoldOptions } from '#lib/hold/hold';
import { FakeDomino } from '../fake-binding';

test.each([{ isolation: 'process' }, { incremental: true }, { logArchive: '/archive' }])(
  'a hold takes every database: %j has no meaning for it, and nothing is held',
  async (given) => {
    const domino = new FakeDomino();
    try {
      const options = { domino: domino.location, deltaDirectory: domino.deltaDirectory, ...given } as HoldOptions;
      const refused = { code: 'ERR_OPTION', option: Object.keys(given)[0] };
      await expect(holdDatabases(() => domino.binding, options)).rejects.toMatchObject(refused);
      expect(domino.locks).toEqual(new Set());
    } finally {
      domino.destroy();
    }
  },
);
