'use strict';

// The order of lib/. A wing imports from the wings below it, never from one above or beside it; types count. A wing that
// has an entrance is entered there only. docs/design.md says what each wing is for.

/** From the bottom up. Wings on one floor do not know each other. */
const floors = [
  ['native'],
  ['errors'],
  ['call'],
  ['domino'],
  ['store'],
  ['vss', 'logs'],
  ['recover'],
  ['backup'],
  ['script', 'bench', 'restore', 'retention', 'doctor', 'hold', 'writer'],
  ['isolation'],
  ['cli'],
];

/** The files by which other wings and index.ts enter. Wings that are not here are open: each of their files is used above. */
const entrances = {
  errors: ['counted', 'errors', 'codes', 'printable', 'revived', 'system-advice', 'vss-advice', 'warnings'],
  backup: [
    'backup',
    'begin-backup',
    'prepared-backup',
    'provider',
    'rehearse',
    'report',
    'server-files',
    'shadow',
    'snapshot-set',
    'spread',
    'timeline',
  ],
  recover: ['recover', 'report', 'restores', 'tools'],
  script: [
    'commands',
    'events',
    'execute',
    'listing',
    'planning-target',
    'problem',
    'prompt',
    'run-script',
    'run-statements',
    'target',
    'text',
    'vss-target',
  ],
  bench: ['bench', 'csv', 'figures', 'page', 'trace'],
  retention: ['prune', 'rules'],
  logs: ['archive', 'catalogue', 'directory', 'extents', 'list', 'prune', 'recovery'],
  restore: [
    'drill',
    'mode',
    'one-backup',
    'reach',
    'recovery-directory',
    'report',
    'restore',
    'server-files',
    'steps',
    'verify',
  ],
  hold: ['background', 'hold'],
  writer: ['events', 'serve', 'service'],
  doctor: ['capabilities', 'check', 'checks', 'doctor'],
  isolation: ['isolated-backup', 'isolated-call', 'launch', 'watch'],
};

const anyOf = (names) => `(?:${names.join('|')})`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Files that need each other are one subject, or miss a third below them that holds what both need.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...floors.flatMap((floor, level) =>
      floor.map((wing) => ({
        name: `no-import-up-from-${wing}`,
        comment: 'Move what is needed into the lower wing, or hand it over as an argument.',
        severity: 'error',
        from: { path: `^lib/${wing}/` },
        to: {
          path: `^lib/(?:index\\.ts|on-demand\\.ts|${anyOf([...floors.slice(level + 1).flat(), ...floor.filter((other) => other !== wing)])}/)`,
        },
      })),
    ),
    {
      name: 'every-wing-has-a-floor',
      comment: 'A new directory of lib/ needs its place in `floors` of .dependency-cruiser.cjs.',
      severity: 'error',
      from: { path: `^lib/(?!index\\.ts|on-demand\\.ts|${anyOf(floors.flat())}/)` },
      to: {},
    },
    ...Object.entries(entrances).map(([wing, files]) => ({
      name: `enter-${wing}-by-its-entrance`,
      comment: 'Use an entrance of the wing, or add one to `entrances` of .dependency-cruiser.cjs.',
      severity: 'error',
      from: { path: '^lib/', pathNot: `^lib/${wing}/` },
      to: { path: `^lib/${wing}/`, pathNot: `^lib/${wing}/${anyOf(files)}\\.ts$` },
    })),
    {
      name: 'no-development-dependency',
      severity: 'error',
      from: { path: '^lib/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'],
        pathNot: '^node_modules/@types/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
    skipAnalysisNotInRules: true,
  },
};
