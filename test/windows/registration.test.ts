// What the installer of Domino writes to the registry, and what is found there. unit/domino/environment.test.ts tests the rules.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadBinding } from '#lib/native/binding';
import { findInstallation, libraryName } from '#lib/domino/environment';
import { DominoVssError } from '#lib/errors/errors';

const dominoKey = 'HKLM\\SOFTWARE\\Lotus\\Domino';
const serviceKey = (name: string): string => `HKLM\\SYSTEM\\CurrentControlSet\\Services\\${name}`;
const services = ['Lotus Domino Server (registration test a)', 'HCL Domino Server (registration test b)'] as const;
let root: string;
let program: string;
let data: string;

function reg(...args: string[]): void {
  execFileSync('C:\\windows\\system32\\reg.exe', [...args, '/f'], { stdio: 'ignore' });
}

function register(value: string, text: string, type = 'REG_SZ'): void {
  reg('add', dominoKey, '/v', value, '/t', type, '/d', text);
}

function unregister(...keys: readonly string[]): void {
  for (const key of keys) {
    try {
      reg('delete', key);
    } catch {
      // It did not exist.
    }
  }
}

beforeEach(() => {
  unregister(dominoKey, ...services.map(serviceKey));
  root = mkdtempSync('C:\\registration-');
  program = join(root, 'Domino');
  data = join(root, 'Dätä');
  for (const directory of [program, data]) mkdirSync(directory);
  writeFileSync(join(program, libraryName), '');
  writeFileSync(join(data, 'notes.ini'), `[Notes]\r\nDirectory=${data}\r\n`);
});

afterEach(() => {
  unregister(dominoKey, ...services.map(serviceKey));
  rmSync(root, { recursive: true });
});

test('without Domino there is nothing in it', () => {
  expect(loadBinding().dominoRegistration?.()).toEqual({ programDirectory: '', dataDirectory: '', services: [] });
});

test('the installation is found by it', () => {
  register('Path', `${program}\\`);
  register('DataPath', data);
  reg('add', serviceKey(services[0]));
  expect(loadBinding().dominoRegistration?.()).toEqual({
    programDirectory: program,
    dataDirectory: data,
    services: [services[0]],
  });
  expect(findInstallation({}, {})).toEqual({ programDirectory: program, notesIni: join(data, 'notes.ini') });
});

test('variables in it are replaced, long texts are read whole, and what is no text is nothing', () => {
  register('Path', program.replace(/^C:/, '%SystemDrive%'), 'REG_EXPAND_SZ');
  register('DataPath', 'x'.repeat(2_000));
  expect(loadBinding().dominoRegistration?.()).toMatchObject({
    programDirectory: program,
    dataDirectory: 'x'.repeat(2_000),
  });
  register('DataPath', '7', 'REG_DWORD');
  expect(loadBinding().dominoRegistration?.()).toMatchObject({ dataDirectory: '' });
});

test('several servers are named, and none is guessed', () => {
  register('Path', program);
  register('DataPath', data);
  for (const name of services) reg('add', serviceKey(name));
  const found = (): unknown => findInstallation({}, {});
  expect(found).toThrow(DominoVssError);
  expect(found).toThrow(/several Domino servers are registered here.*HCL Domino Server \(registration test b\)/);
  const notesIni = join(data, 'notes.ini');
  expect(findInstallation({ notesIni }, {})).toEqual({ programDirectory: program, notesIni });
});
