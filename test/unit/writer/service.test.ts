import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NativeBinding, NativeServiceRegistration } from '#lib/native/session';
import { installWriterService, quoted, serviceName, uninstallWriterService, WriterService } from '#lib/writer/service';

test.each([
  ['plain', 'plain'],
  ['', '""'],
  ['with blank', '"with blank"'],
  ['C:\\Program Files\\', '"C:\\Program Files\\\\"'],
  ['say "this"', '"say \\"this\\""'],
  ['back\\"slash', '"back\\\\\\"slash"'],
  ['C:\\data\\', 'C:\\data\\'],
])('%j is quoted as Windows parses it', (argument, expected) => {
  expect(quoted(argument)).toBe(expected);
});

test('each partition has a service of its own', () => {
  expect(serviceName('C:\\Domino\\data')).toBe('domino-vss writer (CDominodata)');
  expect(serviceName('D:\\Domino\\data2\\')).toBe('domino-vss writer (DDominodata2)');
});

test.each(['LocalSystem', '.\\LocalSystem', 'NT AUTHORITY\\System'])(
  '%s is the account of a service that has none',
  async (account) => {
    const { installed, binding } = fakeServices();
    await installWriterService(binding, { name: 'mine', account, command: ['node.exe', 'C:\\a b\\main.js'] });
    expect(installed).toMatchObject([
      { name: 'mine', account: '', command: 'node.exe "C:\\a b\\main.js" --service mine' },
    ]);
  },
);

test('the name is that of the data directory in notes.ini', async () => {
  const home = mkdtempSync(join(tmpdir(), 'domino-vss-service-'));
  try {
    const notesIni = join(home, 'notes.ini');
    writeFileSync(notesIni, `Directory=${home}\n`);
    const { installed, removed, binding } = fakeServices();
    const domino = { notesIni };
    const account = 'NT AUTHORITY\\LocalService';
    expect(await installWriterService(binding, { domino, account, command: ['x'] })).toBe(serviceName(home));
    expect(installed).toMatchObject([
      { name: serviceName(home), account, command: expect.stringContaining('--service "') as string },
    ]);
    expect(await uninstallWriterService(binding, { domino })).toBe(serviceName(home));
    expect(removed).toEqual([serviceName(home)]);
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('the manager hears what becomes of the service', async () => {
  const { told, stop, binding } = fakeServices();
  const onStop = jest.fn();
  const service = await WriterService.connect(binding, 'mine', onStop);
  service.running();
  stop();
  expect(onStop).toHaveBeenCalledTimes(1);
  service.stopped(4);
  expect(told).toEqual([
    ['starting', 600_000, 0],
    ['running', 0, 0],
    ['stopped', 0, 4],
  ]);
});

test('elsewhere there are no services', async () => {
  const none = (): NativeBinding => ({}) as NativeBinding;
  const unsupported = { code: 'ERR_UNSUPPORTED' };
  await expect(WriterService.connect(none, 'mine', jest.fn())).rejects.toMatchObject(unsupported);
  await expect(installWriterService(none, { name: 'mine', command: [] })).rejects.toMatchObject(unsupported);
});

function fakeServices() {
  const installed: NativeServiceRegistration[] = [];
  const removed: string[] = [];
  const told: unknown[] = [];
  let stop: () => void = () => undefined;
  const services = {
    install: async (registration: NativeServiceRegistration) => void installed.push(registration),
    uninstall: async (name: string) => void removed.push(name),
    host: async (_name: string, onStop: () => void) => {
      stop = onStop;
    },
    reportHosted: (...report: unknown[]) => void told.push(report),
  };
  return {
    installed,
    removed,
    told,
    stop: (): void => {
      stop();
    },
    binding: (): NativeBinding => ({ services }) as unknown as NativeBinding,
  };
}
