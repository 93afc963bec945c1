import type { BackupReport } from '../backup/report';
import { readFile } from '../call/files';
import { writeDurably } from '../store/durable';
import { exitCodes } from './context';

/** One number of a result, for monitoring. */
export interface Figure {
  /** Without the common prefix `domino_vss_`; in base units. */
  readonly name: string;
  readonly help: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface RunEnd {
  /** `backup run` */
  readonly command: string;
  readonly exitCode: number;
  readonly durationMs: number;
  readonly endedAt: Date;
  readonly figures: readonly Figure[];
}

const lastSuccess = 'last_success_timestamp_seconds';

/**
 * Writes the result of a command as OpenMetrics text, for the textfile collector of a node exporter or for anything that reads
 * files. A reader sees either the old file or the new one. The time of the last success is copied from the old file.
 */
export async function writeMetrics(file: string, end: RunEnd): Promise<void> {
  const before = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
  const text = metricsText(end, before);
  await writeDurably(file, async (handle) => {
    await handle.writeFile(text);
    // The collector runs as another user, and the file contains no secrets.
    if (process.platform !== 'win32') await handle.chmod(0o644);
  });
}

export function metricsText({ command, exitCode, durationMs, endedAt, figures }: RunEnd, before = ''): string {
  const seconds = endedAt.getTime() / 1000;
  const success = exitCode === exitCodes.ok ? seconds : lastSuccessIn(before, command);
  const all: Figure[] = [
    { name: 'last_run_timestamp_seconds', help: 'When the command last ended.', value: seconds },
    {
      name: 'last_exit_code',
      help: '0 ok, 1 failed, 2 usage, 3 partial, 4 precondition, 5 locked, 130 interrupted.',
      value: exitCode,
    },
    { name: 'last_duration_seconds', help: 'How long the command took.', value: durationMs / 1000 },
    ...(success === undefined ? [] : [{ name: lastSuccess, help: 'When it last succeeded.', value: success }]),
    ...figures,
  ];
  const lines = all.flatMap(({ name, help, value, labels = {} }, index) => {
    const pairs = Object.entries({ command, ...labels }).map(([key, text]) => `${key}="${escaped(text)}"`);
    const isFirst = all.findIndex((other) => other.name === name) === index;
    return [
      ...(isFirst ? [`# HELP domino_vss_${name} ${help}`, `# TYPE domino_vss_${name} gauge`] : []),
      `domino_vss_${name}{${pairs.join(',')}} ${value}`,
    ];
  });
  return `${lines.join('\n')}\n# EOF\n`;
}

function lastSuccessIn(text: string, command: string): number | undefined {
  const prefix = `domino_vss_${lastSuccess}{command="${escaped(command)}"} `;
  const value = Number(
    text
      .split('\n')
      .find((line) => line.startsWith(prefix))
      ?.slice(prefix.length),
  );
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** The numbers of a backup. */
export function backupFigures({ counts, window, copies }: BackupReport): Figure[] {
  const databases = { name: 'backup_databases', help: 'Databases of the backup, by result.' };
  return [
    { ...databases, value: counts.captured, labels: { state: 'captured' } },
    { ...databases, value: counts.skipped, labels: { state: 'left out' } },
    { name: 'backup_size_bytes', help: 'Size of the databases.', value: counts.startSizeBytes },
    { name: 'backup_change_info_bytes', help: 'Size of the change information.', value: counts.deltaBytes },
    { name: 'backup_window_seconds', help: 'Length of the freeze window.', value: window.windowMs / 1000 },
    ...(copies ? [{ name: 'backup_copied_bytes', help: 'Size of the copies.', value: copies.bytes }] : []),
  ];
}
