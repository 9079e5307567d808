/** Who pauses what was woken: the last one, and nobody in between. */
import { describe, expect, test } from 'vitest';
import type { Host } from '../../operations/host.ts';
import { Leases } from './leases.ts';
import type { User } from './leases.ts';

const host = { server: 'https://host' } as Host;
const other = { server: 'https://other' } as Host;
const ref = { namespace: 'a', name: 'a' };
const user: User = { host, ref, signal: new AbortController().signal };

const waking = async (woke: () => void): Promise<void> => woke();
const awake = async (): Promise<void> => undefined;
const failing = (): Promise<never> => Promise.reject(new Error('no way in'));

/** Leases that note on which host something was paused. */
function noting(): { readonly leases: Leases; readonly paused: string[] } {
  const paused: string[] = [];
  return { paused, leases: new Leases(async ({ server }) => paused.push(server)) };
}

describe('Leases', () => {
  test('only the last user pauses, and only what somebody had to wake', async () => {
    const { leases, paused } = noting();
    await leases.enter(user, waking);
    await leases.enter(user, awake);
    await leases.leave(host, ref);
    expect(paused).toEqual([]);
    await leases.leave(host, ref);
    expect(paused).toEqual(['https://host']);
    await leases.enter(user, awake);
    await leases.leave(host, ref);
    expect(paused).toHaveLength(1);
  });

  test('another virtual cluster, or the same on another host, is another lease', async () => {
    const { leases, paused } = noting();
    await leases.enter(user, waking);
    await leases.enter({ ...user, host: other }, awake);
    await leases.leave(other, ref);
    expect(paused).toEqual([]);
    await leases.leave(host, ref);
    expect(paused).toEqual(['https://host']);
  });

  test('who comes while it is being paused waits for that, also when it fails', async () => {
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const leases = new Leases(async () => {
      await gate.promise;
      order.push('paused');
      throw new Error('not all of it');
    });
    await leases.enter(user, waking);
    const leaving = leases.leave(host, ref);
    const entering = leases.enter(user, async () => order.push('connected'));
    gate.resolve();
    await expect(leaving).rejects.toThrow('not all of it');
    await entering;
    expect(order).toEqual(['paused', 'connected']);
  });

  test('who is told to stop does not wait for that, and leaves nothing behind', async () => {
    const gate = Promise.withResolvers<void>();
    const paused: string[] = [];
    const leases = new Leases(async ({ server }) => {
      paused.push(server);
      await gate.promise;
    });
    await leases.enter(user, waking);
    const leaving = leases.leave(host, ref);
    const stop = new AbortController();
    const entering = leases.enter({ ...user, signal: stop.signal }, () => Promise.reject(new Error('begun')));
    stop.abort(new Error('told to stop'));
    await expect(entering).rejects.toThrow('told to stop');
    gate.resolve();
    await leaving;
    await leases.enter(user, awake);
    await leases.leave(host, ref);
    expect(paused).toHaveLength(1);
  });

  test('who wakes it and does not get in pauses it, unless somebody else is in or about to be', async () => {
    const { leases, paused } = noting();
    const wakingInVain = (woke: () => void): Promise<never> => (woke(), failing());
    await expect(leases.enter(user, wakingInVain)).rejects.toThrow('no way in');
    expect(paused).toHaveLength(1);
    const gate = Promise.withResolvers<void>();
    const entering = leases.enter(user, () => gate.promise);
    await expect(leases.enter(user, wakingInVain)).rejects.toThrow('no way in');
    gate.resolve();
    await entering;
    expect(paused).toHaveLength(1);
    await leases.leave(host, ref);
    expect(paused).toHaveLength(2);
  });

  test('when the last one does not get in, what another had woken before it left is paused', async () => {
    const { leases, paused } = noting();
    const gate = Promise.withResolvers<never>();
    await leases.enter(user, waking);
    const entering = leases.enter(user, () => gate.promise);
    await leases.leave(host, ref);
    expect(paused).toEqual([]);
    gate.reject(new Error('no way in'));
    await expect(entering).rejects.toThrow('no way in');
    expect(paused).toHaveLength(1);
  });

  test('why it did not get in is told, and not that pausing failed too', async () => {
    const leases = new Leases(() => Promise.reject(new Error('not all of it')));
    await expect(leases.enter(user, (woke) => (woke(), failing()))).rejects.toThrow('no way in');
  });
});
