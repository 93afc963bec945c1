import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directoryRisk, makeOwnDirectory } from '#lib/store/safe-directory';
import { linuxTest } from '../../platform';

let root: string;
let directory: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'domino-vss-safe-')));
  directory = join(root, 'delta');
  mkdirSync(directory, { mode: 0o700 });
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

linuxTest('a private directory below a sticky one is safe', async () => {
  chmodSync(root, 0o1777);
  expect(await directoryRisk(directory)).toEqual({ refusal: '', warning: undefined });
});

linuxTest('one that everybody may write to is refused, sticky or not', async () => {
  for (const mode of [0o777, 0o1777, 0o702]) {
    chmodSync(directory, mode);
    expect((await directoryRisk(directory)).refusal).toBe(`everybody may write to ${directory}: chmod o-w`);
  }
});

linuxTest('one that others can replace is refused', async () => {
  chmodSync(root, 0o777);
  expect((await directoryRisk(directory)).refusal).toContain(`everybody may write to ${root}, and could replace`);
});

linuxTest('one that a group may write to is worth a warning', async () => {
  chmodSync(directory, 0o770);
  const { refusal, warning } = await directoryRisk(directory);
  expect(refusal).toBe('');
  expect(warning).toMatchObject({ code: 'WARN_DIRECTORY_SHARED', subjects: [directory] });
  expect(warning?.message).toContain(`may write to ${directory}`);
});

// Only root can give a directory away.
(process.geteuid?.() === 0 ? linuxTest : test.skip)(
  'one of another user, or below one of another user, is refused',
  async () => {
    chownSync(directory, 12_345, 0);
    expect((await directoryRisk(directory)).refusal).toContain(`${directory} belongs to the user 12345`);
    chownSync(directory, 0, 0);
    chownSync(root, 12_345, 0);
    expect((await directoryRisk(directory)).refusal).toContain(`${root} belongs to the user 12345, who could replace`);
  },
);

describe('on Windows, where access lists decide', () => {
  const access = (othersOwn: boolean, othersChange: string): Parameters<typeof directoryRisk>[1] => ({
    directoryAccess: () => Promise.resolve({ othersOwn, othersChange }),
  });

  test('a directory of an ordinary user is refused', async () => {
    const { refusal } = await directoryRisk('E:\\delta', access(true, ''));
    expect(refusal).toBe('E:\\delta belongs to an ordinary user, who could change the permissions');
  });

  test('one that ordinary users can change is worth a warning that says what to do', async () => {
    const { refusal, warning } = await directoryRisk('E:\\delta\\a', access(false, 'E:\\delta'));
    expect(refusal).toBe('');
    expect(warning?.message).toMatch(/^ordinary users can change E:\\delta: icacls "E:\\delta" \/inheritance:r /);
    expect(await directoryRisk('E:\\delta', access(false, ''))).toEqual({ refusal: '', warning: undefined });
  });

  test('every directory that is missing is made private, and one that is there is left as it is', async () => {
    const made: string[] = [];
    const createPrivateDirectory = (path: string): Promise<void> => {
      made.push(path);
      mkdirSync(path);
      return Promise.resolve();
    };
    const deep = join(directory, 'a', 'b');
    await makeOwnDirectory(deep, { createPrivateDirectory });
    await makeOwnDirectory(deep, { createPrivateDirectory });
    expect(made).toEqual([join(directory, 'a'), deep]);
  });

  test('one that another process makes at the same time is taken, other failures are told', async () => {
    const failing =
      (statusName: string) =>
      async (path: string): Promise<void> => {
        mkdirSync(path);
        await Promise.reject(Object.assign(new Error('refused'), { statusName }));
      };
    await makeOwnDirectory(join(directory, 'a'), { createPrivateDirectory: failing('ERROR_ALREADY_EXISTS') });
    const refused = makeOwnDirectory(join(directory, 'b'), { createPrivateDirectory: failing('ERROR_ACCESS_DENIED') });
    await expect(refused).rejects.toThrow('refused');
  });
});
