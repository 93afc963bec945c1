/**
 * A test of something that only Linux has. Files that have nothing for Windows at all end in `.linux.test.ts`; what only
 * Windows has lies in `test/windows`.
 */
export const linuxTest = process.platform === 'linux' ? test : test.skip;
