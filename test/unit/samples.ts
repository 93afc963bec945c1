import type { ManifestDatabase } from '#lib/store/manifest-format';
import type { ManifestHead } from '#lib/store/manifest-format';
import type { WindowFigures } from '#lib/store/manifest-format';

export const databaseLine: ManifestDatabase = {
  index: 0,
  path: 'mail/ada.nsf',
  file: '/data/mail/ada.nsf',
  volume: '/data',
  shadowPath: 'mail/ada.nsf',
  replicaId: '852563FC006CDCC0',
  logged: true,
  dbiid: '0123456789ABCDEF0123456789ABCDEF',
  logId: 'FEDCBA9876543210FEDCBA9876543210',
  logExtent: 7,
  startSizeBytes: 1000,
  deltaBytes: 0,
  announcedBytes: 0,
  delta: '',
  deltaSha256: '',
};

export const windowSample: WindowFigures = {
  beginMs: 5,
  windowMs: 100,
  skewMs: 20,
  shadowMs: 40,
  longestDatabaseMs: 95,
  phases: [
    { phase: 'open', beginMs: 0, endMs: 4 },
    { phase: 'start', beginMs: 5, endMs: 30 },
    { phase: 'shadow', beginMs: 30, endMs: 70 },
    { phase: 'stop', beginMs: 70, endMs: 105 },
  ],
  density: Array.from({ length: 64 }, (_value, index) => Math.min(index, 63 - index)),
};

export const manifestHead: ManifestHead = {
  formatVersion: 1,
  id: '20260807T101530Z-3f9a2c',
  created: '2026-08-07T10:15:31.000Z',
  outcome: 'complete',
  source: 'domino',
  dataDirectory: '/data',
  notesIni: '/data/notes.ini',
  serverName: 'CN=ada/O=Acme',
  provider: { name: 'reflink', reason: 'it works' },
  lifetime: 'backup',
  volumes: [
    { id: 'shadow-0', path: '/data', device: '/dev/sda', fileSystem: 'xfs', root: '/.domino-vss/x/0', kept: true },
  ],
  timeAfterLastStart: { innards: ['006CDCC0', '852563FC'], iso: '2026-08-07T10:15:30.000Z' },
  window: windowSample,
  logStyle: 'archive',
  versions: { package: '0.1.0', node: '20.0.0', platform: 'linux-x64' },
  counts: { databases: 1, captured: 1, skipped: 0, logged: 1, deltas: 0, startSizeBytes: 1000, deltaBytes: 0 },
  pieceBytes: 65536,
  failures: [],
  changes: { appeared: [], vanished: [], replaced: [] },
  copies: null,
  alsoSave: [{ what: 'notes.ini', path: '/data/notes.ini', when: 'any time' }],
  warnings: [],
  databasesSha256: '0'.repeat(64),
};
