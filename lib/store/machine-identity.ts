import { createHmac } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where Linux keeps what identifies the machine. */
export interface MachineFiles {
  readonly machineId: string;
  readonly networkAdapters: string;
}

const linuxFiles: MachineFiles = { machineId: '/etc/machine-id', networkAdapters: '/sys/class/net' };

/** Of QEMU and libvirt: locally administered, but a new one for each machine, also for a clone. */
const ofQemu = '52:54:00:';
const locallyAdministered = 0x02;

let own: readonly string[] | undefined;

/** {@link machineIdentity} of this machine, read once for the process. */
export function ownMachine(): readonly string[] {
  return (own ??= process.platform === 'linux' ? machineIdentity(linuxFiles) : []);
}

/**
 * What a machine keeps when it gets another name, and what a clone of it does not have: a hash of the machine id with the address
 * of each network adapter. A clone has the same machine id until somebody changes it, but on the same network it needs other
 * addresses. Two identities are of one machine if they have an entry in common. Empty if there is no proof: without a
 * machine id, in most containers, and with addresses that need not be unique. The machine id itself is confidential.
 */
export function machineIdentity({ machineId, networkAdapters }: MachineFiles): readonly string[] {
  const id = readOrEmpty(machineId);
  if (!/^[0-9a-f]{32}$/.test(id)) return [];
  return adapters(networkAdapters)
    .map((address) => createHmac('sha256', id).update(`domino-vss ${address}`).digest('hex').slice(0, 32))
    .sort();
}

/** Addresses of adapters with a device behind them: bridges and adapters of containers have addresses that others have too. */
function adapters(directory: string): string[] {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const addresses = names
    .filter((name) => existsSync(join(directory, name, 'device')))
    .map((name) => readOrEmpty(join(directory, name, 'address')));
  return [...new Set(addresses)].filter(isUnique);
}

function isUnique(address: string): boolean {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(address) || address === '00:00:00:00:00:00') return false;
  return address.startsWith(ofQemu) || (Number.parseInt(address.slice(0, 2), 16) & locallyAdministered) === 0;
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'latin1').trim();
  } catch {
    return '';
  }
}
