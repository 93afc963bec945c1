// The examples of the documentation that examples-run does not run, each with what happens to it instead, and why.

/** What happens to an example instead of being run as it is on the page, against the simulated server. */
export type NotRun =
  /** Another test or script of the repository does what it says. */
  | { readonly is: 'run elsewhere'; readonly by: string }
  /** It is checked as far as that goes without running it: its calls, its types, its form. */
  | { readonly is: 'syntax only'; readonly needs: string }
  /** There is nothing to run. */
  | { readonly is: 'no command'; readonly shows: string };

const by = (file: string): NotRun => ({ is: 'run elsewhere', by: file });
const needs = (what: string): NotRun => ({ is: 'syntax only', needs: what });
const shows = (what: string): NotRun => ({ is: 'no command', shows: what });

const figure = shows('how something is laid out');
const output = shows('what a command prints, with times of its own');
const cluster = needs('a Kubernetes cluster');
const vss = by('test/windows/examples.full.test.ts');

/** By the name of the example. All others are run. */
export const notRun: Readonly<Record<string, NotRun>> = {
  'CONTRIBUTING.md#build': by('scripts/setup.mjs'),
  'CONTRIBUTING.md#test': needs('hours: these are all tests, the test that reads this page included'),
  'README.md#domino-vss': by('test/package/tarball.ci.test.ts'),
  'README.md#domino-vss/2': vss,
  'README.md#see-it-in-a-minute': by('scripts/fresh.mjs'),
  'README.md#see-it-in-a-minute/2': by('scripts/test-windows.mjs'),
  'README.md#see-it-in-a-minute/3': output,
  'README.md#on-a-domino-server/2': vss,
  'docs/api.md#vss-writer': vss,
  'docs/api.md#shadow-administration': vss,
  'docs/benchmarks.md#how-these-were-measured': needs('an hour, and a machine that does nothing else'),
  'docs/concepts.md#the-freeze-window': figure,
  'docs/design.md#layers': figure,
  'docs/design.md#a-session': figure,
  'docs/install.md#install': by('test/package/tarball.ci.test.ts'),
  'docs/logs.md#what-the-archive-holds': figure,
  'docs/migration.md#a-pair-of-scripts': by('test/windows/scripts.test.ts'),
  'docs/migration.md#a-pair-of-scripts/2': by('test/windows/scripts.test.ts'),
  'docs/migration.md#a-pair-of-scripts/3': vss,
  'docs/migration.md#a-pair-of-scripts/4': vss,
  'docs/operations.md#environment-linux': figure,
  'docs/operations.md#where-things-go': figure,
  'docs/recipes/README.md#kubernetes': cluster,
  'docs/schedule.md#task-scheduler': needs('the Task Scheduler of Windows, which Wine does not have'),
  'docs/schedule.md#metrics': needs('a Prometheus server; the names in it are those that the command writes'),
  'docs/schedule.md#a-week-of-it': by('test/integration/week.full.test.ts'),
  'docs/schedule.md#a-week-of-it/2': by('test/integration/week.full.test.ts'),
  'docs/schedule.md#a-week-of-it/3': by('test/integration/week.full.test.ts'),
  'docs/schedule.md#many-servers': by('test/integration/ansible.linux.ci.test.ts'),
  'docs/schedule.md#many-servers/2': by('test/integration/ansible.linux.ci.test.ts'),
  'docs/unattended/kubernetes.md#a-nightly-backup': by('test/development/kubernetes.linux.test.ts'),
  'docs/unattended/kubernetes.md#a-nightly-backup/2': cluster,
  'docs/unattended/kubernetes.md#a-snapshot-of-the-volume': by('test/development/kubernetes.linux.test.ts'),
  'docs/scripts.md#scripts': vss,
  'docs/scripts.md#syntax': figure,
  'docs/scripts.md#how-a-script-runs': by('test/development/examples-run.ci.test.ts'),
  'simulator/README.md#domino-vss-simulator': by('test/package/simulator.full.test.ts'),
  'simulator/README.md#on-windows': by('scripts/setup.mjs'),
  'simulator/vss/README.md#vssapidll-a-stand-in-for-the-volume-shadow-copy-service': by('scripts/test-windows.mjs'),
  'simulator/vss/README.md#vssapidll-a-stand-in-for-the-volume-shadow-copy-service/2': by('scripts/test-windows.mjs'),
  'docs/command-line.md#domino-vss-shadow-import': by('test/windows/script-commands.ci.test.ts'),
  'docs/command-line.md#domino-vss-writer-install': by('test/windows/writer-service.full.test.ts'),
  'docs/command-line.md#domino-vss-writer-uninstall': by('test/windows/writer-service.full.test.ts'),
  ...Object.fromEntries(
    ['script', 'shadow-list', 'shadow-expose', 'shadow-unexpose', 'shadow-delete', 'shadow-break', 'shadow-revert']
      .concat(['shadow-revert-status', 'writer-serve', 'writer-list', 'provider-list'])
      .map((command) => [`docs/command-line.md#domino-vss-${command}`, vss]),
  ),
};
