import { counted } from '#lib/errors/counted';

test.each([
  [0, '0 copies, 0 databases'],
  [1, '1 copy, 1 database'],
  [2, '2 copies, 2 databases'],
])('%i has the right form of the noun', (number, text) => {
  expect(`${counted(number, 'copy', 'copies')}, ${counted(number, 'database')}`).toBe(text);
});
