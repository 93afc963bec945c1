import { timedateToDate } from '#lib/domino/timedate';
import type { History, TakenBackup } from './history';
import type { Target } from './operations';

/** The target of a restore, and what it means. */
export interface TargetTime {
  readonly until: string;
  /** Only transactions committed before this time are included; undefined for all. */
  readonly beforeMs: number | undefined;
  /** `impossible`: before the backup, or too far in the future. `doubtful`: only Domino knows which databases were in backup mode. */
  readonly is: 'possible' | 'impossible' | 'doubtful';
}

/** How much clocks may differ, as documented for `until`. */
const clockSkewMs = 60_000;

/** The time for a restore of a backup, depending on what has been written. */
export function targetTime(target: Target, { head, states }: TakenBackup, { model, databases }: History): TargetTime {
  const endMs = momentOf(head.timeAfterLastStart?.innards);
  const beginMs = endMs - head.window.windowMs;
  const at = (ms: number, is: TargetTime['is'] = 'possible'): TargetTime => ({
    until: new Date(ms).toISOString(),
    // Domino counts hundredths of a second.
    beforeMs: Math.floor(ms / 10) * 10,
    is,
  });
  const among = <T>(share: number, all: readonly T[]): T | undefined => all[Math.floor((share / 1001) * all.length)];
  switch (target.type) {
    case 'now':
      return { until: 'now', beforeMs: undefined, is: 'possible' };
    case 'backup':
      return { until: 'backup', beforeMs: endMs + 10, is: 'possible' };
    case 'before':
      return at(beginMs - target.ms, 'impossible');
    case 'future':
      return at(Date.now() + target.ms, target.ms > clockSkewMs ? 'impossible' : 'possible');
    case 'window': {
      const ms = Math.ceil(beginMs + (target.share / 1000) * head.window.windowMs);
      return at(ms, ms < endMs + 10 ? 'doubtful' : 'possible');
    }
    case 'between': {
      const chains = databases.flatMap(({ path }) => states.get(path)?.chain ?? []);
      const times = chains.flatMap((chain) => model.after(chain).map(({ committedMs }) => committedMs));
      const ms =
        (among(
          target.share,
          [...new Set(times)].sort((a, b) => a - b),
        ) ?? Date.now()) + target.offsetMs;
      // Transactions written during the beginning of the backup may be slightly older than its end.
      return at(Math.max(ms, endMs + 10));
    }
  }
}

function momentOf(innards: readonly string[] | undefined): number {
  const [low, high] = (innards ?? []).map((half) => parseInt(half, 16));
  return timedateToDate([low ?? 0, high ?? 0])?.getTime() ?? NaN;
}
