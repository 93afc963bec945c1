import { setTimeout as sleep } from 'node:timers/promises';
import { recoverCommand } from '#lib/store/ended-process';
import { Watch } from '#lib/isolation/watch';

const patience = { startMs: 300, graceMs: 100 };

test('the time begins again with each call, and is as long as the longest that was announced', async () => {
  let hung = 0;
  const watch = new Watch(patience, () => (hung += 1));
  watch.announced(1);
  await sleep(250);
  // Nothing has been requested yet.
  expect(hung).toBe(0);
  watch.begin();
  watch.announced(900);
  watch.announced(10);
  await sleep(600);
  expect(hung).toBe(0);
  watch.end();
  await sleep(600);
  expect(hung).toBe(0);
  watch.begin();
  await sleep(500);
  expect(hung).toBe(1);
});

test('a time that is longer than a timer can wait does not end at once', async () => {
  let hung = false;
  const watch = new Watch(patience, () => (hung = true));
  watch.begin();
  watch.announced(2 ** 31 - 1);
  await sleep(400);
  expect(hung).toBe(false);
  watch.end();
});

test('the command that recovers is one for a shell', () => {
  if (process.platform === 'win32') return;
  const domino = { notesIni: "/local/it's/notes.ini" };
  expect(recoverCommand({ deltaDirectory: '/my backup', domino })).toBe(
    "domino-vss recover --delta-dir '/my backup' --ini '/local/it'\\''s/notes.ini'",
  );
  expect(recoverCommand({ domino: { trustProgramDirectory: true } })).toBe('domino-vss recover --trust-program');
  expect(recoverCommand({})).toBe('domino-vss recover');
});
