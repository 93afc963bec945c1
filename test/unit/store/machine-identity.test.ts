import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as machine from '#lib/store/machine-identity';
import { isOfThisHost, ownIdentity } from '#lib/store/process-identity';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'domino-vss-machine-'));
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(root, { recursive: true });
});

const someId = '0123456789abcdef0123456789abcdef';

/** The identity of a machine with these adapters, each with or without a device behind it. */
function identity(
  id: string,
  adapters: Readonly<Record<string, { address: string; device?: boolean }>>,
): readonly string[] {
  const directory = mkdtempSync(join(root, 'machine-'));
  writeFileSync(join(directory, 'machine-id'), `${id}\n`);
  for (const [name, { address, device = true }] of Object.entries(adapters)) {
    mkdirSync(join(directory, 'net', name, ...(device ? ['device'] : [])), { recursive: true });
    writeFileSync(join(directory, 'net', name, 'address'), `${address}\n`);
  }
  return machine.machineIdentity({ machineId: join(directory, 'machine-id'), networkAdapters: join(directory, 'net') });
}

const ownAdapters = { eth0: { address: '00:50:56:00:00:01' }, eth1: { address: '52:54:00:00:00:02' } };

describe('the identity of a machine', () => {
  test('stays when an adapter is exchanged, and does not show the machine id', () => {
    const before = identity(someId, ownAdapters);
    expect(before).toHaveLength(2);
    expect(before.join()).not.toContain(someId);
    const after = identity(someId, { ...ownAdapters, eth0: { address: '00:50:56:00:00:09' } });
    expect(after.filter((entry) => before.includes(entry))).toHaveLength(1);
  });

  test('a clone has another one, because its adapters have other addresses, and so has a machine with another id', () => {
    const before = identity(someId, ownAdapters);
    for (const other of [
      identity(someId, { eth0: { address: '00:50:56:00:00:03' }, eth1: { address: '52:54:00:00:00:04' } }),
      identity(`${someId.slice(1)}0`, ownAdapters),
    ]) {
      expect(other).toHaveLength(2);
      expect(other.filter((entry) => before.includes(entry))).toEqual([]);
    }
  });

  test.each([
    ['without a machine id', '', ownAdapters],
    ['of an image that was never started', 'uninitialized', ownAdapters],
    ['without adapters', someId, {}],
    ['with bridges only', someId, { docker0: { address: '00:50:56:00:00:01', device: false } }],
    [
      'with addresses that others may have',
      someId,
      { eth0: { address: '02:42:ac:11:00:02' }, lo: { address: '00:00:00:00:00:00' } },
    ],
    ['with an address that is none', someId, { ib0: { address: '80:00:00:48:fe:80' + ':00'.repeat(14) } }],
  ])('there is none %s', (_what, id, adapters) => {
    expect(identity(id, adapters)).toEqual([]);
  });
});

describe('whose work it is', () => {
  const isOurs = (own: readonly string[], host: string, theirs?: readonly string[]): boolean => {
    jest.spyOn(machine, 'ownMachine').mockReturnValue(own);
    return isOfThisHost({ host, machine: theirs });
  };

  test('the machine decides where both sides know it, whatever its name is', () => {
    expect(isOurs(['a', 'b'], 'an earlier name', ['b', 'c'])).toBe(true);
    expect(isOurs(['a', 'b'], hostname(), ['c'])).toBe(false);
  });

  test.each([
    ['a journal of an earlier version', ['a'], undefined],
    ['a journal of a machine without an identity', ['a'], []],
    ['a machine without an identity', [], ['a']],
  ])('the name decides for %s', (_what, own, theirs) => {
    expect(isOurs(own, hostname(), theirs)).toBe(true);
    expect(isOurs(own, 'another name', theirs)).toBe(false);
  });

  test('what this process writes is of this machine', () => {
    jest.spyOn(machine, 'ownMachine').mockReturnValue(['a']);
    expect(ownIdentity()).toMatchObject({ host: hostname(), machine: ['a'] });
    expect(isOfThisHost(ownIdentity())).toBe(true);
  });
});
