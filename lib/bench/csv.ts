import type { BenchReport } from './bench';

/** One line per run, for a spreadsheet. Times in milliseconds, sizes in bytes. */
export function benchCsv({ conditions, runs }: BenchReport): string {
  const rows = runs.map((run, index) => {
    const { window, calls } = run;
    const flat: Record<string, string | number | null> = {
      run: index + 1,
      provider: conditions.provider,
      shards: conditions.shards,
      captured: run.captured,
      skipped: run.skipped,
      windowMs: window.windowMs,
      idealMs: window.idealMs,
      windowRatio: window.windowRatio,
      skewMs: window.skewMs,
      skewRatio: window.skewRatio,
      preparedToFirstStartMs: window.preparedToFirstStartMs,
      lastStartToShadowMs: window.lastStartToShadowMs,
      shadowMs: window.shadowMs,
      shadowToFirstStopMs: window.shadowToFirstStopMs,
      memoryBytes: run.memoryBytes,
    };
    for (const call of ['start', 'stop'] as const) {
      for (const name of ['sum', 'min', 'median', 'p95', 'p99', 'max'] as const) {
        flat[`${call}_${name}Ms`] = window[call][name];
      }
    }
    for (const [name, cost] of Object.entries(calls)) {
      for (const [figure, value] of Object.entries(cost)) flat[`${name}_${figure}`] = value as number;
    }
    return flat;
  });
  const columns = Object.keys(rows[0] ?? {});
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  return lines.map((line) => `${line.map(cell).join(',')}\n`).join('');
}

function cell(value: string | number | null | undefined): string {
  if (typeof value === 'string') return `"${value.replaceAll('"', '""')}"`;
  return value === null || value === undefined || Number.isNaN(value) ? '' : String(value);
}
