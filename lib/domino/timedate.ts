/** The two halves of a TIMEDATE, with the indexes of the C API. */
export type Innards = readonly [number, number];

/** Days from the beginning of the Julian period to 1970-01-01. */
const epochJulianDay = 2_440_588;

export function hex32(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}

/** A TIMEDATE in memory order, as Domino writes it: Innards[1], then Innards[0]; 16 hexadecimal digits. */
export function timedateText(bytes: Uint8Array, offset: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 8);
  return hex32(view.getUint32(4, true)) + hex32(view.getUint32(0, true));
}

/** A UNID in memory order, each half written like a replica id; 32 hexadecimal digits. */
export function unidText(bytes: Uint8Array, offset: number): string {
  return timedateText(bytes, offset) + timedateText(bytes, offset + 8);
}

/**
 * The time of a TIMEDATE; undefined if it has none. Innards[0] counts hundredths of a second since midnight UTC; the lower 24
 * bits of Innards[1] are the Julian day. The upper bits hold the time zone of the writer and do not change the time.
 */
export function timedateToDate([hundredths, day]: Innards): Date | undefined {
  const days = (day & 0xffffff) - epochJulianDay;
  if (hundredths >= 8_640_000 || (day & 0xffffff) === 0) return undefined;
  return new Date(days * 86_400_000 + hundredths * 10);
}

/** The TIMEDATE of a time, rounded down to hundredths of a second, in UTC. */
export function dateToTimedate(date: Date): Innards {
  const ms = date.getTime();
  const days = Math.floor(ms / 86_400_000);
  return [Math.floor((ms - days * 86_400_000) / 10), days + epochJulianDay];
}

/** The inverse of {@link unidText}. */
export function unidBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const half of [0, 1]) {
    const at = half * 16;
    view.setUint32(half * 8 + 4, parseInt(text.slice(at, at + 8), 16), true);
    view.setUint32(half * 8, parseInt(text.slice(at + 8, at + 16), 16), true);
  }
  return bytes;
}
