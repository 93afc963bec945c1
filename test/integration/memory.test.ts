import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beginBackup, type HookProvider, type ProviderOption } from '#lib/index';
import { until } from './command-line';
import { SimulatedDomino } from './simulated-domino';

let domino: SimulatedDomino;

beforeAll(async () => {
  domino = await SimulatedDomino.create();
});

afterAll(async () => {
  await domino[Symbol.asyncDispose]();
});

const hook: HookProvider = {
  name: 'nothing',
  flushesVolumes: true,
  create: ({ volumes }) => Promise.resolve({ shadows: volumes.map(({ path }) => ({ volume: path, root: path })) }),
};

async function backUp(provider: ProviderOption): Promise<WeakRef<object>> {
  const { location, deltaDirectory, shadowDirectory } = domino;
  const place = provider === 'rolling' ? { shadowDirectory } : {};
  const backup = await beginBackup({ domino: location, deltaDirectory, provider, ...place });
  await backup.createShadow();
  await backup.endBackup();
  return new WeakRef(backup);
}

test.each<[string, ProviderOption]>([
  ['rolling', 'rolling'],
  ['a hook', hook],
])('nothing holds a backup with %s after its end', async (_name, provider) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const ended = await backUp(provider);
  // One collection releases the native session, and the next one what it held.
  await until('the backup is collected', async () => {
    await nextTurn();
    collect();
    return ended.deref() === undefined;
  });
});
