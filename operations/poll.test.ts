import { describe, expect, test } from 'vitest';
import { AbortedError } from './errors.ts';
import { HostError, HostForbiddenError, HostUnreachableError } from './host-errors.ts';
import { orAborted, waitFor } from './poll.ts';

/** Looks that show one thing after the other; the last one stays. */
function looks(...shown: readonly (boolean | Error)[]): () => Promise<boolean> {
  const left = [...shown];
  return async () => {
    const next = (left.length > 1 ? left.shift() : left[0]) ?? false;
    if (typeof next === 'boolean') return next;
    throw next;
  };
}

const away = new HostUnreachableError('away', 'nothing listens there', { status: 0 });
const troubled = new HostError('troubled', 'etcd has no leader', { status: 500 });
const refused = new HostForbiddenError('refused', 'may not', { status: 403 });
const enoughMs = 60_000;

describe('waitFor()', () => {
  test('waits for a host that is away for a moment', async () => {
    expect(await waitFor(enoughMs, undefined, looks(false, away, troubled, true))).toBe(true);
  });

  test('does not wait for what waiting does not help, nor for a host that was never there', async () => {
    await expect(waitFor(enoughMs, undefined, looks(false, refused))).rejects.toBe(refused);
    await expect(waitFor(enoughMs, undefined, looks(away, true))).rejects.toBe(away);
  });

  test('tells what was in the way at the end', async () => {
    await expect(waitFor(100, undefined, looks(false, away))).rejects.toBe(away);
    expect(await waitFor(0, undefined, looks(false, true))).toBe(false);
  });

  test('tells an interruption from a time that was up', async () => {
    const why = async (signal: AbortSignal): Promise<unknown> =>
      waitFor(enoughMs, signal, looks()).catch((error: unknown) => error);
    const stopped = await why(AbortSignal.abort());
    expect(stopped).toBeInstanceOf(AbortedError);
    expect(stopped).toHaveProperty(
      'message',
      expect.stringMatching(/^Interrupted: It was told to stop while it was waiting\./),
    );
    expect(await why(AbortSignal.timeout(1))).toHaveProperty(
      'message',
      expect.stringContaining('Its time was up while it was waiting'),
    );
  });
});

describe('orAborted()', () => {
  const finished = Promise.resolve('finished');

  test('is the work, unless it was told to stop before', async () => {
    expect(await orAborted(finished, undefined, 'worked')).toBe('finished');
    expect(await orAborted(finished, new AbortController().signal, 'worked')).toBe('finished');
    await expect(orAborted(finished, AbortSignal.abort(), 'worked')).rejects.toThrow('told to stop while it worked');
  });

  test('ends at once when it is told to stop, whatever becomes of the work', async () => {
    const work = Promise.withResolvers<never>();
    const told = new AbortController();
    const waiting = orAborted(work.promise, told.signal, 'worked');
    told.abort();
    await expect(waiting).rejects.toThrow(AbortedError);
    work.reject(new Error('nobody waits for it'));
    const failed = Promise.reject(new Error('nobody waits for it either'));
    await expect(orAborted(failed, AbortSignal.abort(), 'worked')).rejects.toThrow(AbortedError);
  });
});
