import type { PhaseTiming, WindowFigures } from '../store/manifest-format';
import { formatMs } from './output';

const levels = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Phases that make up the window, and their titles. */
const shownPhases = [
  ['start', 'into backup mode'],
  ['shadow', 'shadow'],
  ['stop', 'out of backup mode'],
] as const;

/** Columns for the title of a row, its edges, and a figure such as `at most 20000`. */
const besides = 19 + 3 + 14;

/**
 * The freeze window as a small picture: one bar for each phase on a common time axis, and below them the number of databases in
 * backup mode. For `rolling`, where each database has its own short window, only the number is shown. 10 to 60 cells wide,
 * depending on the width of the terminal.
 */
export function drawWindow(window: WindowFigures, columns = 120): string[] {
  const width = Math.max(10, Math.min(60, columns - besides));
  if (window.windowMs <= 0) return ['no freeze window: no database was in backup mode'];
  const rows = shownPhases.flatMap(([phase, title]) => {
    const timings = window.phases.filter((timing) => timing.phase === phase);
    return timings.map((timing) => row(title, bar(timing, window, width), formatMs(timing.endMs - timing.beginMs)));
  });
  const most = Math.max(...window.density);
  return [
    `freeze window ${formatMs(window.windowMs)}, skew ${formatMs(window.skewMs)}, longest database ${formatMs(window.longestDatabaseMs)}`,
    ...rows,
    row('in backup mode', densityLine(window.density, most, width), `at most ${most}`),
    row('', axis(window.windowMs, width), ''),
  ];
}

function row(title: string, picture: string, figure: string): string {
  return `${title.padEnd(19)}│${picture}│ ${figure}`.trimEnd();
}

function bar(timing: PhaseTiming, window: WindowFigures, width: number): string {
  const cell = (time: number): number =>
    Math.min(width, Math.max(0, ((time - window.beginMs) / window.windowMs) * width));
  const from = Math.min(width - 1, Math.floor(cell(timing.beginMs)));
  const to = Math.max(from + 1, Math.round(cell(timing.endMs)));
  return ' '.repeat(from) + '█'.repeat(to - from) + ' '.repeat(width - to);
}

function densityLine(density: readonly number[], most: number, width: number): string {
  return Array.from({ length: width }, (_cell, index) => {
    const databases = density[Math.floor((index / width) * density.length)] ?? 0;
    const level = databases === 0 ? 0 : Math.max(1, Math.round((databases / most) * (levels.length - 1)));
    return levels[level] ?? ' ';
  }).join('');
}

function axis(windowMs: number, width: number): string {
  const end = formatMs(windowMs);
  return `0${end.padStart(width - 1)}`;
}
