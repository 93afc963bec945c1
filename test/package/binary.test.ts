import { join } from 'node:path';
import { expectShippable } from './shippable';

const root = join(__dirname, '..', '..', '..');

test('the addon as built here could be shipped', () => {
  expectShippable(join(root, 'build', 'Release', 'domino_vss.node'));
});
