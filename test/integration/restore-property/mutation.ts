import type { PlanRestoreOptions, RestoreReport } from '#lib/index';

/** A fault that is put in on purpose: the property has to find it. */
export interface Mutation {
  /** What the plan says instead. */
  readonly plan?: (report: RestoreReport) => RestoreReport;
  /** Options that the restore gets, and the plan does not. */
  readonly options?: (options: PlanRestoreOptions) => Partial<PlanRestoreOptions>;
}

export const mutations = {
  /** The planner keeps silent about what it refuses. */
  'refuses-nothing': {
    plan: (report) => ({ ...report, databases: report.databases.filter(({ result }) => result !== 'failed') }),
  },
  /** What was written after the backup is lost. */
  'stops-at-the-backup': { options: ({ until }) => (until === 'now' ? { until: 'backup' } : {}) },
  /** What the archive has is not there any more when the restore begins. */
  'loses-the-archive': { options: () => ({ logArchive: undefined }) },
} as const satisfies Readonly<Record<string, Mutation>>;

export type MutationName = keyof typeof mutations;
