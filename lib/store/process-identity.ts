import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { loadBinding } from '../native/binding';
import type { JournalHead } from './journal-format';
import { ownMachine } from './machine-identity';

/**
 * Identifies a process, its machine, and the boot of that machine. A journal needs it to distinguish living from dead processes.
 */
export type ProcessIdentity = Pick<JournalHead, 'pid' | 'processStart' | 'boot' | 'host' | 'machine'>;

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    processStart: processStart(process.pid),
    boot: bootId(),
    host: hostname(),
    machine: ownMachine(),
  };
}

/** Start time of a process; empty if there is no such process or the platform does not report it. */
function processStart(pid: number): string {
  if (process.platform === 'win32') return loadBinding().processStart?.(pid) ?? '';
  try {
    // The program name, in parentheses, may contain anything; the fields are counted from the closing parenthesis.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const hasEnded = state === 'X' || (state === 'Z' && !hasOtherThreads(pid));
    return hasEnded ? '' : (fields[18] ?? '');
  } catch {
    return '';
  }
}

/**
 * A process that has ended remains a zombie until its parent reads its status, which the first process of a container may never do.
 * But a killed process is a zombie too while one of its threads is in a call that does not return, and that call may still take
 * effect.
 */
function hasOtherThreads(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).length > 1;
}

/** Clock ticks since boot can repeat after a reboot. Windows reports an absolute time instead. */
function bootId(): string {
  if (process.platform !== 'linux') return '';
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

/** The machine decides if both sides know it; otherwise its name, which is all that older journals have. */
export function isOfThisHost({ host, machine = [] }: Pick<ProcessIdentity, 'host' | 'machine'>): boolean {
  const own = ownMachine();
  if (machine.length === 0 || own.length === 0) return host === hostname();
  return machine.some((entry) => own.includes(entry));
}

/** For a process of this host. */
export function isAlive({ pid, processStart: started, boot }: Omit<ProcessIdentity, 'host' | 'machine'>): boolean {
  return boot === bootId() && isRunning(pid, started);
}

/** For a process of this host since its last boot. */
export function isRunning(pid: number, started: string): boolean {
  if (process.platform === 'linux' || process.platform === 'win32') {
    const now = processStart(pid);
    return now !== '' && [started, 'unknown'].includes(now);
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
