// The process that keeps a hold between `hold` and `release`. startHold starts it, sends it the options and waits until the
// databases are held. From then on it listens for a release on the channel that its record names.

import { createServer, type Server, type Socket } from 'node:net';
import { toPublicError } from '../errors/errors';
import { loadBinding } from '../native/binding';
import { ownIdentity } from '../store/process-identity';
import { holdDatabases, type Hold, type HoldOptions } from './hold';
import { channelName, makeHoldDirectory, toErrorRecord, writeHold, type HoldEnd, type HoldRecord } from './hold-record';
import { requestIn, type HolderAnswer, type HolderMessage, type HolderRequest } from './holder-messages';

/** Time for sending the last answer to the client. */
const answerMs = 5_000;

const controller = new AbortController();
// Without a listener, Node.js would open its debugger.
if (process.platform !== 'win32') process.on('SIGUSR1', () => undefined);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    controller.abort(new Error(signal));
  });
}
// Until the databases are held, the starter waits for them; if it is gone, there is nothing to hold them for.
process.once('disconnect', () => {
  controller.abort(new Error('the process that asked for the hold is gone'));
});
process.once('message', (options: HoldOptions) => {
  void hold(options);
});

async function hold(options: HoldOptions): Promise<void> {
  try {
    const held = await holdDatabases(loadBinding, { ...options, signal: controller.signal });
    await keep(held, options.deltaDirectory);
  } catch (error) {
    await tell({ error: toErrorRecord(toPublicError(error)) });
    process.exitCode = 1;
  }
  if (process.connected) process.disconnect();
}

async function keep(held: Hold, deltaDirectory: string): Promise<void> {
  const directory = await makeHoldDirectory(loadBinding()).catch((error: unknown) => release(held, error));
  const record: HoldRecord = {
    formatVersion: 1,
    id: held.id,
    deltaDirectory,
    databases: held.databases,
    volumes: held.volumes.map(({ path }) => path),
    heldAt: held.heldAt.toISOString(),
    deadline: held.deadline.toISOString(),
    channel: channelName(directory, held.id),
    holder: ownIdentity(),
  };
  let hasEnded: (end: HoldEnd) => void = () => undefined;
  // The record is written before the answer, because the client removes it after the answer, and because a client that finds no
  // holder on the channel reads the record.
  const recorded = new Promise<HoldEnd>((resolve) => {
    hasEnded = resolve;
  }).then(async (end) => {
    // If the disk is full, the present client still gets the answer; a later one finds neither a holder nor a backup.
    await writeHold(directory, { ...record, end }).catch(() => undefined);
    return end;
  });
  const respond = async (request: HolderRequest): Promise<HolderAnswer> => {
    const result = await answer(held, request);
    if ('refused' in result) return result;
    hasEnded(result);
    return recorded;
  };
  const server = await listen(record.channel, respond).catch((error: unknown) => release(held, error));
  try {
    await writeHold(directory, record);
  } catch (error) {
    server.close();
    return await release(held, error);
  }
  void held.lost.then((error) => {
    hasEnded({ error: toErrorRecord(error) });
  });
  const giveUp = (): void => {
    void held.dispose().catch(() => undefined);
  };
  controller.signal.addEventListener('abort', giveUp);
  // The starter may end as soon as it has this message. If it ended earlier, it will never know of the hold.
  process.removeAllListeners('disconnect');
  if (controller.signal.aborted || !process.connected) giveUp();
  await tell({ held: record });
  if (process.connected) process.disconnect();
  await recorded;
  server.close();
  // A client that has connected and sends nothing must not keep the process alive.
  setTimeout(() => process.exit(), answerMs).unref();
}

/** A hold without a record could not be released by anyone. */
async function release(held: Hold, error: unknown): Promise<never> {
  await held.dispose();
  throw error;
}

async function answer(held: Hold, request: HolderRequest): Promise<HolderAnswer> {
  try {
    if (request.type === 'release') return { report: await held.release(request.options) };
    await held.giveUp();
    return { error: toErrorRecord(await held.lost) };
  } catch (thrown) {
    const error = toPublicError(thrown);
    // Wrong options release nothing, and a second release does not end the first.
    if (error.code === 'ERR_OPTION' || error.code === 'ERR_STATE') return { refused: toErrorRecord(error) };
    return { error: toErrorRecord(error) };
  }
}

async function listen(channel: string, respond: (request: HolderRequest) => Promise<HolderAnswer>): Promise<Server> {
  const server = createServer((socket) => {
    // A client that has gone away got no answer; the record has it.
    socket.on('error', () => undefined);
    // Only a line feed ends a line: node:readline of Node.js 24 also splits at U+2028, which a path may contain.
    let unread = '';
    const hear = (text: string): void => {
      unread += text;
      const end = unread.indexOf('\n');
      if (end < 0) return;
      socket.off('data', hear);
      void respondTo(socket, unread.slice(0, end), respond);
    };
    socket.setEncoding('utf8').on('data', hear);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(channel, resolve);
  });
  return server;
}

async function respondTo(
  socket: Socket,
  line: string,
  respond: (request: HolderRequest) => Promise<HolderAnswer>,
): Promise<void> {
  const request = requestIn(line);
  if (request === undefined) {
    socket.destroy(); // it is none of ours, and ends no hold
    return;
  }
  socket.end(`${JSON.stringify(await respond(request))}\n`);
}

function tell(message: HolderMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send)
      process.send(message, () => {
        resolve();
      });
    else resolve();
  });
}
