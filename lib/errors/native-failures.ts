import { types } from 'node:util';
import { isBranded } from './brand';
import { adviceOnStatus } from './status-advice';
import { adviceOnSystemError } from './system-advice';
import type { NativeFailure } from '../native/failure';

/** Whether a value is the plain record that native code rejects with. */
export function isNativeFailure(value: unknown): value is NativeFailure {
  return (
    typeof value === 'object' &&
    value !== null &&
    !types.isNativeError(value) &&
    !isBranded(value) &&
    typeof (value as Partial<NativeFailure>).code === 'string' &&
    typeof (value as Partial<NativeFailure>).domain === 'string'
  );
}

/** `0x0EA4` for a STATUS, `0x80042316` for an HRESULT, `13` for an errno, empty for a decision of the engine. */
export function formatStatus(failure: Pick<NativeFailure, 'domain' | 'status'>): string {
  switch (failure.domain) {
    case 'domino':
      return `0x${failure.status.toString(16).toUpperCase().padStart(4, '0')}`;
    case 'com':
      return formatHresult(failure.status);
    case 'system':
      return String(failure.status);
    case 'engine':
      return '';
  }
}

/** `0x80042316`. */
export function formatHresult(hresult: number): string {
  return `0x${hresult.toString(16).toUpperCase().padStart(8, '0')}`;
}

/** Advice for the number of a failed call, which can be more exact than that of its code. */
export function adviceOnFailure({ domain, status, statusName }: NativeFailure): string | undefined {
  if (domain === 'domino') return adviceOnStatus(status)?.action;
  return domain === 'system' ? adviceOnSystemError(statusName)?.hint : undefined;
}

/** One line: the call, its subject, the status and its meaning. */
export function describeFailure(failure: Omit<NativeFailure, 'code' | 'phase'>): string {
  const call = failure.operation === '' ? failure.subject : `${failure.operation} on ${failure.subject || '(nothing)'}`;
  const status = [failure.statusName, formatStatus(failure)].filter((part) => part !== '').join(' ');
  return [call, status, failure.text].filter((part) => part !== '').join(': ');
}
