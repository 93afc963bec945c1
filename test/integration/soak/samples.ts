/** The settings of a soak. */
export interface SoakSettings {
  readonly cycles: number;
  readonly sampleEvery: number;
  readonly seed: number;
  /** A separate directory. */
  readonly home: string;
  /** Leaks memory and a file in each cycle, to check that this is found. */
  readonly leak: boolean;
}

/** What the process occupies after this many cycles, when nothing is running. */
export interface Sample {
  readonly cycle: number;
  readonly rssBytes: number;
  /** Of JavaScript, including memory outside its heap, after a garbage collection. */
  readonly heapBytes: number;
  readonly files: number;
  readonly threads: number;
  /** Databases in backup mode. */
  readonly inBackup: readonly string[];
  readonly succeeded: number;
  readonly failed: number;
  readonly restored: number;
}

/** Growth of a figure per cycle: the slope of the least-squares line. */
export function growth(samples: readonly Sample[], figure: (sample: Sample) => number): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = mean(samples.map(({ cycle }) => cycle));
  const level = mean(samples.map(figure));
  const above = samples.map((sample) => (sample.cycle - middle) * (figure(sample) - level));
  return mean(above) / mean(samples.map(({ cycle }) => (cycle - middle) ** 2));
}

/** How much a process may grow. In short soaks, growth includes caches that are still filling. */
export interface Bounds {
  readonly heapBytesPerCycle: number;
  /** The process as a whole, in the last third of the cycles. Its size varies by tens of megabytes, so peaks are compared. */
  readonly peakBytes: number;
}

/** What has grown, in words. The first third of the cycles is ignored, because caches fill in it. */
export function leaks(samples: readonly Sample[], bounds: Bounds): string[] {
  const warm = samples.slice(Math.ceil(samples.length / 3));
  const of = (figure: (sample: Sample) => number): number => growth(warm, figure);
  const found: string[] = [];
  const heap = of(({ heapBytes }) => heapBytes);
  if (heap > bounds.heapBytesPerCycle) found.push(`JavaScript grows by ${heap.toFixed(0)} bytes a cycle`);
  const peak = (some: readonly Sample[]): number => Math.max(...some.map(({ rssBytes }) => rssBytes));
  const lastThird = Math.floor((samples.length * 2) / 3);
  const rise = peak(samples.slice(lastThird)) - peak(samples.slice(0, lastThird));
  if (rise > bounds.peakBytes) found.push(`the peak of the process has risen by ${rise} bytes`);
  const spread = (figure: (sample: Sample) => number): number => {
    const values = warm.map(figure);
    return Math.max(...values) - Math.min(...values);
  };
  if (spread(({ files }) => files) > 2) found.push(`${spread(({ files }) => files)} files more or less`);
  if (spread(({ threads }) => threads) > 2) found.push(`${spread(({ threads }) => threads)} threads more or less`);
  const stuck = samples.filter(({ inBackup }) => inBackup.length > 0);
  return [
    ...found,
    ...stuck.map(({ cycle, inBackup }) => `after ${cycle} cycles in backup mode: ${inBackup.join(', ')}`),
  ];
}
