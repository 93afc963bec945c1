// How processes end in the other versions of Node.js, which scripts/test.mjs fetches in the tiers ci and full.

import { delimiter } from 'node:path';
import { describeEndings } from './endings';

const others = (process.env['DOMINO_VSS_TEST_NODES'] ?? '').split(delimiter).filter((program) => program !== '');

test('there are other versions', () => {
  expect(others).not.toEqual([]);
});

describeEndings(others);
