/** The distribution of a series of measurements. All zero for an empty series. */
export interface Spread {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Percentiles by nearest rank: each is one of the values, and the median of two values is the smaller one. */
export function spread(values: Iterable<number>): Spread {
  const sorted = Float64Array.from(values).sort();
  const count = sorted.length;
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * count) - 1)] ?? 0;
  return {
    count,
    sum: sorted.reduce((sum, value) => sum + value, 0),
    min: sorted[0] ?? 0,
    median: rank(0.5),
    p95: rank(0.95),
    p99: rank(0.99),
    max: sorted[count - 1] ?? 0,
  };
}
