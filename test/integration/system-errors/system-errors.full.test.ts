// Errors of the operating system, one call at a time, injected below Node.js and the addon: each is reported with the call, the
// file and the name of the error, with an exit code, and leaves nothing behind.

import { mkdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Server } from 'domino-vss-simulator';
import { linuxDescribe, memoryDirectory } from '../../platform';
import { locationFlags, run, type Ended } from '../command-line';
import { SimulatedDomino } from '../simulated-domino';
import { buildFailingCalls } from './failing-calls';

type ErrorName = 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EROFS' | 'EMFILE' | 'ENFILE';

let domino: SimulatedDomino;
let server: Server;
let library: string;
let backupId: string;

const inHome = (name: string): string => join(domino.home, name);

async function fail(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return run([...args, ...locationFlags(domino), '--json'], { cwd: domino.home, env });
}

const backup = ['backup', 'run', '--delta-dir', 'backup', '--provider', 'rolling', '--to', 'copies'];
const restore = (): string[] => ['restore', backupId, 'mail/db000003.nsf', '--as', 'new.nsf', '--delta-dir', 'kept'];

/** Every record in a document, at any depth: errors, their causes, and failures of single databases. */
function* records(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const inner of Object.values(value)) yield* records(inner);
}

linuxDescribe('an error of the system', () => {
  beforeAll(async () => {
    domino = await SimulatedDomino.create({ databases: 6, plainNames: true, pages: [10, 20] }, memoryDirectory);
    server = await domino.serve({ threads: 1, transactionsPerSecond: 50 });
    library = buildFailingCalls(domino.home);
    const { code, stdout } = await fail([...backup.slice(0, 3), 'kept', ...backup.slice(4, -1), 'kept-copies']);
    expect(code).toBe(0);
    backupId = (JSON.parse(stdout) as { id: string }).id;
  });

  afterAll(async () => {
    await server.stop();
    await domino[Symbol.asyncDispose]();
  });

  afterEach(() => {
    for (const name of ['backup', 'copies']) rmSync(inHome(name), { recursive: true, force: true });
  });

  test.each<[name: ErrorName, call: string, path: string, command: 'backup' | 'restore', told?: string]>([
    ['ENOSPC', 'write', '/.journal/', 'backup'],
    ['EIO', 'fsync', '/.journal/', 'backup'],
    ['EDQUOT', 'write', 'databases.ndjson', 'backup'],
    ['EMFILE', 'open', 'manifest.json', 'backup'],
    ['EIO', 'rename', 'manifest.json', 'backup'],
    ['EROFS', 'mkdir', '/copies', 'backup'],
    ['ENOSPC', 'write', '/copies/', 'backup'],
    ['EIO', 'fsync', '/copies/', 'backup'],
    ['ENFILE', 'open', '/copies/', 'backup'],
    ['EIO', 'read', 'kept/', 'restore'],
    ['EIO', 'read', 'kept-copies/', 'restore'],
    ['ENOSPC', 'write', 'new.nsf', 'restore'],
    ['EMFILE', 'open', 'new.nsf', 'restore'],
    ['EIO', 'fsync', 'new.nsf', 'restore'],
    ['EROFS', 'rename', 'new.nsf', 'restore'],
  ])('%s of %s at %s, in a %s', async (name, call, path, command) => {
    mkdirSync(inHome('backup'));
    const args = command === 'backup' ? backup : restore();
    const env = { LD_PRELOAD: library, FAIL_CALL: call, FAIL_PATH: path, FAIL_ERRNO: String(constants.errno[name]) };
    const { code, stdout, stderr } = await fail(args, env);
    expect([1, 3, 4]).toContain(code);
    const document = JSON.parse(stdout) as unknown;
    const told = [...records(document)].filter(({ errnoName, statusName }) => [errnoName, statusName].includes(name));
    if (told.length === 0) throw new Error(`not told: ${stdout}${stderr}`);
    for (const record of told) {
      // One of these fields names the file, whatever the class or record.
      const where = ['path', 'database', 'message', 'text'].map((field) => record[field]).join(' ');
      expect(where).toContain(path);
      expect(record).toMatchObject({ operation: expect.stringContaining(call) as string });
      expect(record['hint']).not.toBe('');
    }
    await domino.expectQuiet();
  });
});
