import { Call } from '#lib/call/call';

afterEach(() => {
  jest.restoreAllMocks();
});

test('a deadline is reported as one, even if its timer fires early', async () => {
  jest.spyOn(performance, 'now').mockReturnValue(1_000);
  const call = new Call({ timeoutMs: 10, phase: 'prepare' });
  const waiting = call.interruptible(
    (signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('interrupted'));
        });
      }),
  );
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_DEADLINE' });
});
