import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createReadStream, open, readFile, writeFile } from '#lib/call/files';
import { databaseFailureOf, FileSystemError, toPublicError, type DominoVssError } from '#lib/errors/errors';
import { copyExactly, hashFile } from '#lib/store/copy';
import { linuxDescribe } from '../../platform';
import { failure } from '../fake-binding';

// Linux files that fail only when they are read or written.
const badDisk = '/proc/self/mem';
const fullDisk = '/dev/full';

async function errorOf(work: Promise<unknown>): Promise<DominoVssError & Partial<FileSystemError>> {
  const thrown = await work.then(
    () => 'nothing',
    (error: unknown) => error,
  );
  return toPublicError(thrown);
}

linuxDescribe('an error of a call on a descriptor names its file', () => {
  const reading = async (): Promise<void> => {
    await using handle = await open(badDisk, 'r');
    await handle.read(Buffer.alloc(1), 0, 1, 0);
  };
  const streaming = async (): Promise<void> => {
    await text(createReadStream(badDisk));
  };
  const streamingHandle = async (): Promise<void> => {
    await using handle = await open(badDisk, 'r');
    await text(handle.createReadStream({ autoClose: false }));
  };
  const writing = async (): Promise<void> => {
    await using handle = await open(fullDisk, 'w');
    await handle.writeFile('x');
  };
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'domino-vss-files-'));
  });
  afterAll(() => {
    rmSync(home, { recursive: true });
  });

  test.each<[string, () => Promise<unknown>, object]>([
    ['readFile', () => readFile(badDisk), { operation: 'read', path: badDisk, errnoName: 'EIO', errno: 5 }],
    ['a handle', reading, { operation: 'read', path: badDisk, errnoName: 'EIO' }],
    ['a stream', streaming, { operation: 'read', path: badDisk, errnoName: 'EIO' }],
    ['a stream of a handle', streamingHandle, { operation: 'read', path: badDisk, errnoName: 'EIO' }],
    [
      'a hash',
      () => hashFile(badDisk, { check: () => undefined }),
      { operation: 'read', path: badDisk, errnoName: 'EIO' },
    ],
    ['writeFile', () => writeFile(fullDisk, 'x'), { operation: 'write', path: fullDisk, code: 'ERR_NO_SPACE' }],
    ['a written handle', writing, { operation: 'write', path: fullDisk, errnoName: 'ENOSPC', code: 'ERR_NO_SPACE' }],
    ['a missing file', () => readFile('/nowhere'), { operation: 'open', path: '/nowhere', errnoName: 'ENOENT' }],
    [
      'a copy',
      () => copyExactly({ from: badDisk, to: join(home, 'to.nsf'), sizeBytes: 10, check: () => undefined }),
      { operation: 'read', path: badDisk, errnoName: 'EIO' },
    ],
  ])('of %s', async (_what, work, expected) => {
    const error = await errorOf(work());
    expect(error).toBeInstanceOf(FileSystemError);
    expect(error).toMatchObject(expected);
    expect(error.message).toContain(`${error.operation ?? ''} '${error.path ?? ''}'`);
  });

  test('too many open files are told with the limit and what is needed', () => {
    const program = `
      const { open } = require('fs/promises');
      const { toPublicError } = require(process.argv[1]);
      (async () => { for (;;) await open('/dev/null', 'r'); })().catch((error) => {
        const { code, hint, errnoName } = toPublicError(error);
        process.stdout.write(JSON.stringify({ code, hint, errnoName }));
        process.exit();
      });`;
    const errors = join(__dirname, '../../../../dist/errors/errors.js');
    const shell = ['-c', 'ulimit -n 64 && exec "$@"', 'sh', process.execPath, '-e', program, errors];
    expect(JSON.parse(execFileSync('sh', shell, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))).toEqual({
      code: 'ERR_OPEN_FILES',
      errnoName: 'EMFILE',
      hint: expect.stringMatching(
        /^All 64 files .* at least 65 are needed.*ulimit -n 128, or LimitNOFILE=128/,
      ) as string,
    });
  });

  test('an error that Node.js has no name for has the name of the system', () => {
    const text = 'Unknown system error -122';
    const known = { code: text, errno: -constants.errno.EDQUOT, syscall: 'write', path: '/q/x' };
    const error = toPublicError(Object.assign(new Error(`${text}: ${text}, write '/q/x'`), known));
    expect(error).toMatchObject({
      code: 'ERR_NO_SPACE',
      errnoName: 'EDQUOT',
      errno: 122,
      message: "EDQUOT, write '/q/x'",
    });
    expect(error.hint).toContain('quota');
  });
});

test('a failure of one database keeps call, number and advice, whatever it means there', () => {
  const full = { code: 'ENOSPC', errno: -28, syscall: 'write', path: '/copies/a.nsf' };
  const thrown = Object.assign(new Error("ENOSPC: no space left on device, write '/copies/a.nsf'"), full);
  expect(databaseFailureOf('a.nsf', 'drain', thrown, { code: 'ERR_COPY' })).toMatchObject({
    code: 'ERR_COPY',
    operation: 'write',
    status: constants.errno.ENOSPC,
    statusName: 'ENOSPC',
    hint: expect.stringContaining('Free space') as string,
  });
});

test.each([
  ['EIO', 5, 'is failing'],
  ['EROFS', 30, 'mounted read-only'],
  ['ERROR_DISK_FULL', 112, 'Free space'],
])('%s of native code has its advice', (statusName, status, advice) => {
  const native = failure({
    code: 'ERR_SHADOW',
    domain: 'system',
    operation: 'write',
    subject: '/x',
    status,
    statusName,
  });
  expect(toPublicError(native)).toMatchObject({ operation: 'write', hint: expect.stringContaining(advice) as string });
});
