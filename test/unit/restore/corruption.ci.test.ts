import { cpSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { beginBackup } from '#lib/backup/begin-backup';
import { isDominoVssError } from '#lib/errors/errors';
import { restoreDatabases } from '#lib/restore/restore';
import { verifyBackup } from '#lib/restore/verify';
import { Chance, damages } from '../damage';
import { FakeDomino, signature } from '../fake-binding';

// Damages one file of a backup in each case, at random, and runs verify and restore on it. Another
// seed or number of cases: DOMINO_VSS_SEED, DOMINO_VSS_CASES.

const cases = Number(process.env['DOMINO_VSS_CASES'] ?? (process.env['DOMINO_VSS_TEST_TIER'] === 'full' ? 1000 : 100));
const seed = Number(process.env['DOMINO_VSS_SEED'] ?? 20261126);

const paths = ['mail/ada.nsf', 'mail/bob.nsf', 'apps/crm.nsf', 'apps/log.nsf'];

type Kind = 'copies' | 'hashed shadow' | 'shadow';

interface Prepared {
  readonly kind: Kind;
  readonly directory: string;
  /** Directories of its databases' contents. */
  readonly contents: string;
}

let domino: FakeDomino;
let before: Map<string, string>;
let backups: Prepared[];
let safe: string;

const today = (path: string): string => `${path} of today`;

async function backUp(kind: Kind): Promise<Prepared> {
  const location = { domino: domino.location, deltaDirectory: domino.deltaDirectory };
  const backup = await beginBackup(() => domino.binding, location);
  const set = await backup.createShadow();
  const copies = join(domino.root, 'copies', backup.id);
  if (kind === 'copies') await set.copyDatabases({ to: copies });
  const contents = kind === 'copies' ? copies : set.shadows[0]!.root;
  await backup.endBackup({ keep: kind !== 'copies', hash: kind === 'hashed shadow' });
  for (const [path, text] of before) domino.write(path, text);
  return { kind, directory: backup.directory, contents };
}

beforeAll(async () => {
  domino = new FakeDomino(paths);
  const chance = new Chance(`${seed} contents`);
  for (const path of paths) domino.write(path, signature + chance.bytes(5000 + chance.below(3000)).toString('hex'));
  before = new Map(paths.map((path) => [path, domino.read(path)]));
  for (const path of ['mail/ada.nsf', 'apps/crm.nsf']) domino.busy.add(path);
  domino.unlogged.add('apps/crm.nsf');
  backups = [];
  for (const kind of ['copies', 'hashed shadow', 'shadow'] as const) backups.push(await backUp(kind));
  safe = join(domino.root, 'safe');
  for (const [index, { directory, contents }] of backups.entries()) {
    cpSync(directory, join(safe, `${index}`, 'backup'), { recursive: true });
    cpSync(contents, join(safe, `${index}`, 'contents'), { recursive: true });
  }
}, 60_000);

afterAll(() => {
  domino.destroy();
});

function putBack(): void {
  for (const path of paths) domino.write(path, today(path));
  for (const [index, { directory, contents }] of backups.entries()) {
    for (const [from, to] of [
      ['backup', directory],
      ['contents', contents],
    ] as const) {
      rmSync(to, { recursive: true, force: true });
      cpSync(join(safe, `${index}`, from), to, { recursive: true });
    }
  }
}

function filesOf(directory: string): string[] {
  return (readdirSync(directory, { recursive: true }) as string[])
    .sort()
    .map((name) => join(directory, name))
    .filter((file) => statSync(file).isFile());
}

/** Contents that were accepted although they differ from the backup; empty for none. `unproven`: restored as "not hashed". */
async function judge(backup: Prepared): Promise<{ readonly wrong: string[]; readonly unproven: number }> {
  const wrong: string[] = [];
  const manifest = backup.directory;
  const verdict = await verifyBackup(() => domino.binding, { manifest }).catch((error: unknown) => {
    if (!isDominoVssError(error)) wrong.push(`verify: ${String(error)}`);
    return undefined;
  });
  const report = await restoreDatabases(() => domino.binding, { manifest, domino: domino.location }).catch(
    (error: unknown) => {
      if (!isDominoVssError(error)) wrong.push(`restore: ${String(error)}`);
      return undefined;
    },
  );
  let unproven = 0;
  for (const path of paths) {
    const now = domino.read(path);
    const result = report?.databases.find(({ database }) => database === path);
    const verified = verdict?.databases.find(({ database }) => database === path)?.result;
    if (result?.result !== 'restored') {
      if (now !== today(path))
        wrong.push(`${path} is ${result?.result ?? 'not restored'}, and its original does not exist`);
    } else if (now !== before.get(path)) {
      const isSaid =
        !result.hashed && verified === 'not-hashed' && report?.warnings.some(({ code }) => code === 'WARN_NOT_HASHED');
      if (isSaid && backup.kind === 'shadow') unproven += 1;
      else wrong.push(`${path} is restored with other contents (verify: ${verified ?? 'nothing'})`);
    }
  }
  const left = filesOf(domino.dataDirectory).filter((file) => basename(file).includes('domino-vss'));
  if (left.length + domino.offline.size > 0) wrong.push(`left: ${[...left, ...domino.offline].join(', ')}`);
  return { wrong, unproven };
}

test(`no damage is accepted: ${cases} cases of seed ${seed}`, async () => {
  const wrong: string[] = [];
  const seen = { same: 0, unproven: 0 };
  for (let number = 0; number < cases; ++number) {
    const chance = new Chance(`${seed} ${number}`);
    putBack();
    const backup = chance.of(backups);
    const inBackup = filesOf(backup.directory);
    const [heads, deltas] = [/manifest\.json$|\.ndjson$/, /\.delta$/].map((kind) =>
      inBackup.filter((file) => kind.test(file)),
    );
    const group = chance.of([heads!, deltas!, filesOf(backup.contents), filesOf(backup.contents)]);
    const file = chance.of(group);
    const others = backups
      .flatMap(({ directory, contents }) => [...filesOf(directory), ...filesOf(contents)])
      .filter((other) => other !== file && other.endsWith(file.slice(file.lastIndexOf('.'))));
    const old = readFileSync(file);
    const what = chance.of(damages)(file, others, chance);
    if (statSync(file, { throwIfNoEntry: false })?.isFile() && readFileSync(file).equals(old)) seen.same += 1;
    const found = await judge(backup);
    seen.unproven += found.unproven;
    for (const text of found.wrong) {
      wrong.push(`case ${number}, ${backup.kind}, ${relative(domino.root, file)}, ${what}: ${text}`);
    }
  }
  expect(wrong).toEqual([]);
  // Otherwise the change is no damage, and nothing is tested.
  expect(seen.same).toBeLessThan(cases / 5);
  console.log(`${cases} cases, ${seen.same} without effect, ${seen.unproven} databases restored as "not hashed"`);
}, 3_600_000);
