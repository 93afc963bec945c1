import type { PlanRestoreOptions, RestoreReport } from '#lib/index';

/** An intentional fault, which the property has to find. */
export interface Mutation {
  /** What the plan says instead. */
  readonly plan?: (report: RestoreReport) => RestoreReport;
  /** Options that only the restore gets, not the plan. */
  readonly options?: (options: PlanRestoreOptions) => Partial<PlanRestoreOptions>;
}

export const mutations = {
  /** The planner does not report what it refuses. */
  'refuses-nothing': {
    plan: (report) => ({ ...report, databases: report.databases.filter(({ result }) => result !== 'failed') }),
  },
  /** Everything that was written after the backup is lost. */
  'stops-at-the-backup': { options: ({ until }) => (until === 'now' ? { until: 'backup' } : {}) },
  /** The contents of the archive are gone when the restore begins. */
  'loses-the-archive': { options: () => ({ logArchive: undefined }) },
} as const satisfies Readonly<Record<string, Mutation>>;

export type MutationName = keyof typeof mutations;
