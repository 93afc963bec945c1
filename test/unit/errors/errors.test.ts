import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noticeCodes } from '#lib/domino/notice';
import { errorCodes, type ErrorCodeEntry } from '#lib/errors/codes';
import type * as errors from '#lib/errors/errors';
import {
  AbortError,
  BackupError,
  databaseFailureOf,
  DominoError,
  DominoVssError,
  isDominoVssError,
  RestoreError,
  ShadowError,
  toPublicError,
} from '#lib/errors/errors';
import { warningCodes, type WarningCodeEntry } from '#lib/errors/warnings';
import { alreadyInProgress, failure } from '../fake-binding';

const root = join(__dirname, '../../../..');

/** Sources whose `ERR_…` strings are our codes, and not names of Domino statuses or codes of Node.js. */
function codesIn(directory: string, extension: RegExp, pattern: RegExp): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(join(root, directory), { recursive: true }) as string[]) {
    if (!extension.test(name)) continue;
    const text = readFileSync(join(root, directory, name), 'utf8');
    for (const [, code] of text.matchAll(pattern)) found.set(code!, name);
  }
  return found;
}

describe('the table of codes', () => {
  const own = codesIn('lib', /^(?!errors.codes[./\\]|native.(?!binding)).*\.ts$/, /'(ERR_[A-Z_]+)'/g);
  const native = codesIn('cpp', /failure\.h$/, /= "(ERR_[A-Z_]+)"/g);

  test('has every code that TypeScript or C++ hands out', () => {
    expect(native.size).toBeGreaterThan(20);
    for (const [code, file] of [...own, ...native]) expect([file, code in errorCodes]).toEqual([file, true]);
  });

  test('has no code that nobody hands out', () => {
    // Anywhere in the native sources, because a table of statuses selects some codes.
    const anywhere = codesIn('cpp', /\.(cpp|h)$/, /"(ERR_[A-Z_]+)"/g);
    for (const code of Object.keys(errorCodes)) {
      expect([code, own.has(code) || anywhere.has(code)]).toEqual([code, true]);
    }
  });

  test('has no code twice', () => {
    const defined = codeFiles().flatMap((text) =>
      [...text.matchAll(/^ {2}([A-Z]+_[A-Z_]+): \{/gm)].map(([, code]) => code),
    );
    expect(defined.length).toBeGreaterThan(100);
    expect(defined).toEqual([...new Set(defined)]);
  });

  test('is what docs/errors.md shows (UPDATE_DOCS=1 writes it)', () => {
    const file = join(root, 'docs/errors.md');
    const expected = renderDocs();
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(file, expected);
    expect(readFileSync(file, 'utf8')).toBe(expected);
  });
});

/** The texts of the files with explanations of codes: of several entries with the same name, the last one would win. */
function codeFiles(): string[] {
  return ['lib/errors/codes', 'lib/errors/warning-codes'].flatMap((directory) =>
    readdirSync(join(root, directory)).map((name) => readFileSync(join(root, directory, name), 'utf8')),
  );
}

describe('the table of codes of warnings', () => {
  const own = codesIn('lib', /^(?!errors.warning-codes|native.(?!binding)|domino.notice).*\.ts$/, /'(WARN_[A-Z_]+)'/g);
  const native = codesIn('cpp', /warning\.h$/, /= "(WARN_[A-Z_]+)"/g);

  test('has every code that TypeScript or C++ hands out', () => {
    expect(native.size).toBeGreaterThan(5);
    for (const [code, file] of [...own, ...native]) expect([file, code in warningCodes]).toEqual([file, true]);
  });

  test('has no code that nobody hands out', () => {
    for (const code of Object.keys(warningCodes)) {
      expect([code, own.has(code) || native.has(code)]).toEqual([code, true]);
    }
  });
});

function renderDocs(): string {
  const entries: [string, ErrorCodeEntry][] = Object.entries(errorCodes);
  const rows = entries.map(
    ([code, { meaning, action, errorClass, retryable, exitCode }]) =>
      `| \`${code}\` | \`${errorClass}\` | ${meaning} | ${action} | ${retryable ? 'yes' : 'no'} | ${exitCode} |`,
  );
  return `# Error codes

Every error of this package is a \`DominoVssError\` with a stable \`code\`, a \`message\` and a \`hint\` that says what to do.
\`isDominoVssError(error)\` recognises them across several loaded copies of the package. The class says which further fields an error has:

| Class | Further fields |
| --- | --- |
| \`DominoError\` | \`operation\` (the function of the C API), \`status\`, \`statusHex\`, \`statusName\`, \`text\`, \`database\` |
| \`BackupError\`, \`RestoreError\` | \`failures\`, one for each database |
| \`ShadowError\` | \`provider\`, \`operation\`, \`path\`, \`errno\`, \`errnoName\`, \`shadows\` |
| \`VssError\` | those of \`ShadowError\`, with the COM method as \`operation\`, and \`hresult\`, \`hresultHex\`, \`hresultName\`, \`volume\`, the failed \`writers\` |
| \`FileSystemError\` | \`operation\` (the system call), \`path\`, \`errno\`, \`errnoName\` |
| \`ServiceError\` | \`service\`, \`operation\` (the Windows call), \`windowsError\`, \`windowsErrorName\` |
| \`ProcessError\` | \`call\`, \`pid\`, \`exitCode\` or \`signal\`, whether the process \`hung\`, and what is \`left\`, in words |
| \`AbortError\` | the reason of the signal as \`cause\` |
| \`OptionError\` | the name of the \`option\` |

A failed call of the Domino C API is a \`DominoError\`, independent of its code; its \`hint\` is the advice for its status, if there is any. The
same codes appear in the failures of single databases.

As JSON (\`toJSON\`, \`--json\`) an error has its fields, and its \`cause\` as \`{ name, message, code?, cause? }\` (\`CauseRecord\`), up to five causes deep:
what a hook has thrown, the error of the operating system, the reason of an abort.

"Again" says whether the same call may succeed later without manual changes (\`retryable\`). "Exit" is the exit code of
the command line when the error ends a command.

This table is generated from \`lib/errors/codes/\`; a test compares them.

| Code | Class | What happened | What to do | Again | Exit |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

## Warnings

A \`Warning\` reports something that you should know although nothing failed. It has a \`code\`, a \`message\`, and all \`subjects\` that it is about,
even if the message names only the first few; \`errorCode\` is the code of the error behind it, if there is one. Reports and manifests
have them in \`warnings\`, checks of \`runDoctor\` in \`code\`, scripts in their events. The command line shows \`warning <code>: <message>\`.
Codes are as stable as those of errors; new ones may be added in minor versions. The table is \`warningCodes\`, generated from
\`lib/errors/warning-codes/\`.

Manifests that were written before warnings had codes contain texts, which are read as \`WARN_UNCODED\`.

| Code | What it means | What to do | Subjects |
| --- | --- | --- | --- |
${warningRows(warningCodes).join('\n')}

## Notices

What concerns the choice of databases is also in the \`notices\` of a report and of a manifest, with \`code\`, \`text\` and \`subjects\`: the first
${Object.keys(noticeCodes).length - 1} codes above, and one that is not a warning. The table is \`noticeCodes\`.

| Code | What it means | What to do | Subjects |
| --- | --- | --- | --- |
${warningRows({ INFO_REBUILT_BY_SERVER: noticeCodes.INFO_REBUILT_BY_SERVER }).join('\n')}
`;
}

function warningRows(codes: Readonly<Record<string, WarningCodeEntry>>): string[] {
  return Object.entries(codes).map(
    ([code, { meaning, action, subjects }]) => `| \`${code}\` | ${meaning} | ${action} | ${subjects} |`,
  );
}

describe('toPublicError', () => {
  test('keeps number, name, text, database and call of a Domino status', () => {
    const error = toPublicError({ ...alreadyInProgress, subject: 'mail/ada.nsf' });
    expect(error).toBeInstanceOf(DominoError);
    expect(error).toMatchObject({
      code: 'ERR_DOMINO_CALL',
      phase: 'start',
      status: 3748,
      statusHex: '0x0EA4',
      statusName: 'ERR_BACKUP_ALREADY_IN_PROGRESS',
      text: 'This database is already in backup',
      database: 'mail/ada.nsf',
      operation: 'NSFBackupStart',
      message:
        'NSFBackupStart on mail/ada.nsf: ERR_BACKUP_ALREADY_IN_PROGRESS 0x0EA4: This database is already in backup',
    });
  });

  test.each([
    [failure({ code: 'ERR_CLONE_REFUSED', domain: 'system', status: 95, statusName: 'EOPNOTSUPP' }), ShadowError],
    [failure({ code: 'ERR_LEASE_EXPIRED' }), BackupError],
    [failure({ code: 'ERR_ABORTED' }), AbortError],
    [failure({ code: 'ERR_CORRUPT_CHANGE_INFO' }), RestoreError],
    [failure({ code: 'ERR_DOMINO_LIBRARY' }), DominoVssError],
  ])('makes the class of the code: %j', (native, expected) => {
    const error = toPublicError(native);
    expect(error.constructor).toBe(expected);
    expect(error.code).toBe(native.code);
  });

  test('says which system call failed on what', () => {
    const native = failure({
      code: 'ERR_CLONE_REFUSED',
      domain: 'system',
      operation: 'ioctl(FICLONE)',
      status: 95,
      statusName: 'EOPNOTSUPP',
      text: 'Operation not supported',
      subject: '/data/x.nsf',
    });
    expect(toPublicError(native)).toMatchObject({
      errno: 95,
      errnoName: 'EOPNOTSUPP',
      path: '/data/x.nsf',
      message: 'ioctl(FICLONE) on /data/x.nsf: EOPNOTSUPP 95: Operation not supported',
    });
  });

  test('wraps what is not ours and keeps it as the cause', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'write' });
    expect(toPublicError(full)).toMatchObject({ code: 'ERR_NO_SPACE', cause: full });
    const denied = Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open' });
    expect(toPublicError(denied)).toMatchObject({ code: 'ERR_FILE_SYSTEM', cause: denied });

    const mistake = new TypeError('x is not a function');
    expect(toPublicError(mistake)).toMatchObject({ code: 'ERR_INTERNAL', cause: mistake });
    expect(toPublicError('bare')).toMatchObject({ code: 'ERR_INTERNAL', message: 'bare' });
    expect(toPublicError(failure({ code: 'ERR_UNHEARD_OF' }))).toMatchObject({
      code: 'ERR_INTERNAL',
      message: expect.stringContaining('ERR_UNHEARD_OF'),
    });
  });
});

test('errors are recognised across copies of the package, and nothing else is', () => {
  jest.isolateModules(() => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- a second copy is the point
    const copy = require('#lib/errors/errors') as typeof errors;
    const error = copy.toPublicError(failure({ code: 'ERR_LOCKED' }));
    expect(error).not.toBeInstanceOf(DominoVssError);
    expect(isDominoVssError(error)).toBe(true);
  });
  for (const other of [new Error('x'), { code: 'ERR_OPTION' }, null, undefined, 'ERR_OPTION']) {
    expect(isDominoVssError(other)).toBe(false);
  }
});

test('an error as JSON has every field', () => {
  const json: unknown = JSON.parse(JSON.stringify(toPublicError({ ...alreadyInProgress, subject: 'x.nsf' })));
  expect(json).toMatchObject({ name: 'DominoError', code: 'ERR_DOMINO_CALL', statusHex: '0x0EA4', retryable: true });
  expect(json).toHaveProperty('hint');
  expect(json).toHaveProperty('message');
});

test('a status has its own advice, and says itself whether trying again helps', () => {
  const inUse = toPublicError(failure({ domain: 'domino', status: 0x13ea }));
  expect(inUse).toMatchObject({ retryable: true, hint: expect.stringContaining('in use') });
  expect(databaseFailureOf('x.nsf', 'restore', failure({ domain: 'domino', status: 0x13ea })).hint).toBe(inUse.hint);
  expect(toPublicError(failure({ domain: 'domino', status: 0x13fa })).retryable).toBe(false);
  // As an errno, the same number means something else.
  expect(toPublicError(failure({ domain: 'system', status: 0x13ea })).hint).toBe(errorCodes.ERR_DOMINO_CALL.action);
  expect(toPublicError(failure({ domain: 'domino', status: 0x3fff })).hint).toBe(errorCodes.ERR_DOMINO_CALL.action);
});

test('the record of a database keeps what its error knew', () => {
  const record = databaseFailureOf('x.nsf', 'restore', toPublicError({ ...alreadyInProgress, subject: '/data/x.nsf' }));
  expect(record).toMatchObject({ database: 'x.nsf', operation: 'NSFBackupStart', statusHex: '0x0EA4', phase: 'start' });
  expect(databaseFailureOf('x.nsf', 'restore', new Error('odd'))).toMatchObject({
    code: 'ERR_INTERNAL',
    phase: 'restore',
  });
});

test('advice for temporary errors says so, and what to check if they persist', () => {
  const com = (status: number): DominoVssError =>
    toPublicError(failure({ code: 'ERR_VSS', domain: 'com', operation: 'x', status }));
  expect(com(0x800706ba)).toMatchObject({
    retryable: true,
    hint: expect.stringMatching(/not be ready.*VSS and swprv/) as string,
  });
  expect(com(0x80042302)).toMatchObject({ retryable: true });
  expect(com(0x80042306)).toMatchObject({
    retryable: true,
    hint: expect.stringMatching(/filter drivers.*autoRecovery: false/) as string,
  });
});

describe('JSON of an error', () => {
  // The declarations do not contain the constructors.
  const aborted = (reason: unknown): AbortError =>
    new (AbortError as unknown as new (reason: unknown) => AbortError)(reason);
  const Shadow = ShadowError as unknown as new (code: string, where: object, details: object) => ShadowError;
  const jsonOf = (error: DominoVssError): unknown => JSON.parse(JSON.stringify(error));

  test('has the causes, each with its code', () => {
    const root = Object.assign(new TypeError('no\u001b route'), { code: 'ARRAY-17' });
    const cause = new Error('array is offline', { cause: root });
    const error = new Shadow('ERR_HOOK', { provider: 'lvm' }, { message: 'lvm: create() failed', cause });
    expect(jsonOf(error)).toMatchObject({
      code: 'ERR_HOOK',
      cause: {
        name: 'Error',
        message: 'array is offline',
        cause: { name: 'TypeError', message: 'no\\x1b route', code: 'ARRAY-17' },
      },
    });
  });

  test.each([
    ['an interrupt', new Error('SIGTERM'), { name: 'Error', message: 'SIGTERM' }],
    [
      'a time-out',
      new DOMException('too late', 'TimeoutError'),
      { name: 'TimeoutError', message: 'too late', code: 23 },
    ],
    ['a text', 'enough', { name: 'string', message: 'enough' }],
    ['null', null, { name: 'object', message: 'null' }],
    ['an object', { why: 1 }, { name: 'object', message: '{"why":1}' }],
    ['a failure of native code', failure({ operation: 'NSFDbOpen', text: 'no' }), { name: 'NativeFailure' }],
  ])('has the reason of an abort: %s', (_what, reason, expected) => {
    expect(jsonOf(aborted(reason))).toMatchObject({ code: 'ERR_ABORTED', cause: expected });
  });

  test('has no cause where there is none', () => {
    expect(jsonOf(aborted(undefined))).not.toHaveProperty('cause');
  });

  test('ends with causes in a circle, or such as throw', () => {
    const circle = new Error('round');
    circle.cause = circle;
    expect(JSON.stringify(aborted(circle)).match(/round/g)).toHaveLength(5);
    const hostile = {
      get message(): string {
        throw new Error('never');
      },
    };
    expect(jsonOf(aborted(hostile))).toMatchObject({ cause: { message: expect.any(String) } });
  });
});
