import type { Spread } from '../backup/spread';

/** Title and meaning of a figure in a report. */
interface Words {
  readonly title: string;
  readonly meaning: string;
}

const words: Readonly<Record<string, Words>> = {
  windowMs: {
    title: 'freeze window',
    meaning: 'from the first NSFBackupStart until the last NSFBackupStop has returned',
  },
  idealMs: { title: 'ideal window', meaning: 'all starts ÷ shards + shadow + all stops ÷ shards, as measured' },
  windowRatio: { title: 'window ÷ ideal', meaning: '1 if no thread waits for anything but Domino' },
  skewMs: { title: 'skew', meaning: 'how far apart the points in time of the databases are' },
  skewRatio: { title: 'skew ÷ ideal start', meaning: 'compared with all starts ÷ shards' },
  preparedToFirstStartMs: { title: 'prepared → first start', meaning: 'before the window' },
  lastStartToShadowMs: { title: 'last start → shadow', meaning: 'lost before the shadow is requested' },
  shadowToFirstStopMs: { title: 'shadow → first stop', meaning: 'lost after the shadow' },
  prepareMs: { title: 'phase prepare', meaning: 'before the window' },
  startMs: { title: 'phase start', meaning: 'all databases into backup mode' },
  shadowMs: { title: 'phase shadow', meaning: 'the shadow is made' },
  stopMs: { title: 'phase stop', meaning: 'all databases out of backup mode' },
  startCallMs: { title: 'one start (median)', meaning: 'a single NSFBackupStart' },
  stopCallMs: { title: 'one stop (median)', meaning: 'a single NSFBackupStop' },
  beginJavaScriptMs: { title: 'JavaScript in beginBackup', meaning: 'time the event loop worked' },
  createJavaScriptMs: { title: 'JavaScript in createShadow', meaning: 'time the event loop worked' },
  endJavaScriptMs: { title: 'JavaScript in endBackup', meaning: 'time the event loop worked' },
  longestLoopDelayMs: { title: 'longest event-loop delay', meaning: 'maximum delay of a timer in the program' },
  memoryBytesPerDatabase: { title: 'memory per database', meaning: 'growth of the process; the first run says most' },
};

/** The texts for a figure. A phase that only some providers have is shown under its own name. */
export function figureWords(name: string): Words {
  return words[name] ?? { title: `phase ${name.replace(/Ms$/, '')}`, meaning: '' };
}

/** More digits than elsewhere, because a benchmark is for comparison. */
export function fineMs(value: number): string {
  if (value === 0) return '0';
  if (value < 1) return `${(value * 1000).toFixed(1)} µs`;
  return value < 1000 ? `${value.toFixed(value < 100 ? 2 : 1)} ms` : `${(value / 1000).toFixed(3)} s`;
}

const percentiles = ['min', 'median', 'p95', 'p99', 'max'] as const;

/** With fewer values than this, a percentile would be the same as the maximum. */
const leastCount = { min: 1, median: 1, p95: 20, p99: 100, max: 1 } as const;

/** The percentiles that are meaningful for this number of values. */
export function meaningfulPercentiles(values: number): readonly (typeof percentiles)[number][] {
  return percentiles.filter((name) => values >= leastCount[name]);
}

/** A value of the figure, with its unit. */
export function formatFigure(name: string, value: number): string {
  if (name.endsWith('Ms')) return fineMs(value);
  return name.startsWith('memory') ? `${Math.round(value).toLocaleString('en')} B` : value.toFixed(4);
}

/** The figures that were measured. */
export function measuredFigures(figures: Readonly<Record<string, Spread>>): [string, Spread][] {
  return Object.entries(figures).filter(([, figure]) => figure.count > 0);
}
