import type { PhaseTiming } from '../../store/manifest-format';
import type { BenchRun } from '../bench';
import { markup, type Html } from './html';

// Pictures as SVG with horizontal positions in percent and vertical ones in pixels: texts keep their size at any width.

/** Round numbers for an axis, about `count` of them. */
function ticks(from: number, to: number, count: number): number[] {
  const raw = (to - from) / count;
  if (!(raw > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10) * power;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_tick, index) => (first + index) * step);
}

/** A round time in its shortest form. */
function tickMs(value: number): string {
  const [scaled, unit] = value >= 1000 ? [value / 1000, 's'] : value >= 1 ? [value, 'ms'] : [value * 1000, 'µs'];
  return value === 0 ? '0' : `${Number(scaled.toPrecision(4))} ${unit}`;
}

/** A number for an attribute. */
const at = (value: number): string => value.toFixed(2);

/** A text below an axis, aligned inwards if it would extend beyond the picture. */
function axisLabel(percent: number, y: number, text: string): Html {
  const anchor = percent < 6 ? 'start' : percent > 90 ? 'end' : 'middle';
  return markup`<text x="${at(percent)}%" y="${at(y)}" text-anchor="${anchor}">${text}</text>`;
}

/**
 * Each run as a dot, with a line to its ideal. The axis need not begin at zero, because dots show a position and not a length.
 */
export function drawRuns(runs: readonly BenchRun[]): Html {
  const [top, bottom, height] = [18, 172, 196];
  const values = runs.flatMap(({ window }) => [window.windowMs, ...(window.idealMs === null ? [] : [window.idealMs])]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = Math.max((most - least) * 0.12, most * 0.01, 1e-6);
  const [from, to] = [Math.max(0, least - margin), most + margin];
  const y = (value: number): number => bottom - ((value - from) / (to - from)) * (bottom - top);
  const x = (index: number): number => 16 + (82 * (index + 0.5)) / runs.length;
  const everyRun = Math.ceil(runs.length / 8);
  // The ideal is a line across the dot and wider than it, so that both are visible where they meet.
  const half = Math.min(4, 38 / runs.length);
  const radius = runs.length > 15 ? 3.5 : 5;
  return markup`<svg
    class="chart"
    role="img"
    height="${height}"
    aria-label="Freeze window of each run and its ideal; the table below has the same figures"
  >
    ${ticks(from, to, 4).map(
      (value) =>
        markup`<line class="grid" x1="0" x2="100%" y1="${at(y(value))}" y2="${at(y(value))}" /><text
            x="0"
            y="${at(y(value) - 4)}"
            >${tickMs(value)}</text
          > `,
    )}${runs.map(({ window: { windowMs, idealMs } }, index) => {
      const [mark, across] = [idealMs === null ? undefined : at(y(idealMs)), at(x(index))];
      const gap = markup`<line class="gap" x1="${across}%" x2="${across}%" y1="${at(y(windowMs))}" y2="${mark ?? 0}"/>`;
      const ideal = markup`<line class="ideal" x1="${at(x(index) - half)}%" x2="${at(x(index) + half)}%" y1="${mark ?? 0}" y2="${mark ?? 0}"/>`;
      return markup`<g>${mark === undefined ? '' : gap}<circle class="dot" cx="${across}%" cy="${at(y(windowMs))}" r="${radius}"/>${mark === undefined ? '' : ideal}</g>${
        index % everyRun === 0 ? axisLabel(x(index), height - 6, String(index + 1)) : ''
      } `;
    })}
  </svg>`;
}

/** Titles of the phases that make up the window. */
export const phaseTitles: Readonly<Record<string, string>> = {
  start: 'into backup mode',
  shadow: 'shadow',
  stop: 'out of backup mode',
};

/** A phase of the window on its time axis. */
export function drawPhase({ phase, beginMs, endMs }: PhaseTiming, beginOfWindowMs: number, windowMs: number): Html {
  const percent = (time: number): number => Math.min(100, Math.max(0, ((time - beginOfWindowMs) / windowMs) * 100));
  const from = Math.min(99.5, percent(beginMs));
  const width = Math.max(0.5, percent(endMs) - from);
  return markup`<svg class="track" height="14" aria-hidden="true">
    <rect class="ground" width="100%" height="14" />
    <rect class="${phase}" x="${at(from)}%" width="${at(width)}%" height="14" />
  </svg>`;
}

/** The windows of one way of making the backup: their median as a bar, each as a dot, on an axis from 0 that all ways share. */
export function drawWindows(windowsMs: readonly number[], medianMs: number, mostMs: number): Html {
  const percent = (time: number): string => at(mostMs > 0 ? (time / mostMs) * 98 : 0);
  return markup`<svg class="track" height="14" aria-hidden="true">
    <rect class="ground" width="100%" height="14" />
    <rect class="mode" width="${percent(medianMs)}%" height="14" />
    ${windowsMs.map((time) => markup`<circle class="dot" cx="${percent(time)}%" cy="7" r="3.5" />`)}
  </svg>`;
}

/** The distribution of call durations on a logarithmic axis from `leastMs` to `mostMs`. */
export function drawCalls(name: string, durationsMs: readonly number[], leastMs: number, mostMs: number): Html {
  const bins = 60;
  const [top, bottom, height] = [6, 84, 106];
  const [from, to] = [Math.log10(leastMs), Math.log10(mostMs)];
  const place = (value: number): number => (Math.log10(Math.max(leastMs, value)) - from) / (to - from);
  const counts = new Array<number>(bins).fill(0);
  for (const value of durationsMs) {
    const bin = Math.min(bins - 1, Math.floor(place(value) * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const most = Math.max(1, ...counts);
  const decades = to - from;
  const factors = decades < 1.2 ? [1, 2, 5] : [1];
  const powers = Array.from({ length: Math.ceil(decades) + 2 }, (_power, index) => Math.floor(from) + index);
  const marks = powers
    .flatMap((power) => factors.map((factor) => factor * 10 ** power))
    .filter((value) => value >= leastMs && value <= mostMs);
  return markup`<svg
    class="chart"
    role="img"
    height="${height}"
    aria-label="Distribution of the durations of ${name} on a logarithmic axis; the table below has the median and the extremes"
  >
    ${counts.map((count, bin) => {
      const high = count === 0 ? 0 : Math.max(1.5, (count / most) * (bottom - top));
      return high === 0
        ? markup``
        : markup`<rect
            class="${name === 'NSFBackupStart' ? 'start' : 'stop'}"
            x="${at((bin / bins) * 100)}%"
            y="${at(bottom - high)}"
            width="${at(92 / bins)}%"
            height="${at(high)}"
          />`;
    })}
    <line class="grid" x1="0" x2="100%" y1="${bottom}" y2="${bottom}" />
    ${marks.map((value) => markup`<line class="grid" x1="${at(place(value) * 100)}%" x2="${at(place(value) * 100)}%" y1="${bottom}" y2="${bottom + 5}" />${axisLabel(place(value) * 100, height - 5, tickMs(value))}`)}
  </svg>`;
}
