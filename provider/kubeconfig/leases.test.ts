/** Who pauses what was woken: the last one, and nobody in between. */
import { describe, expect, test } from 'vitest';
import type { Host } from '../../operations/host.ts';
import { Leases } from './leases.ts';

const host = { server: 'https://host' } as Host;
const ref = { namespace: 'a', name: 'a' };
const connected = (woke: boolean) => async (): Promise<{ readonly woke: boolean }> => ({ woke });

describe('Leases', () => {
  test('only the last user pauses, and only what somebody had to wake', async () => {
    const leases = new Leases();
    const paused: string[] = [];
    const pause = async (): Promise<void> => void paused.push('a');
    await leases.enter(host, ref, connected(true));
    await leases.enter(host, ref, connected(false));
    await leases.leave(host, ref, pause);
    expect(paused).toEqual([]);
    await leases.leave(host, ref, pause);
    expect(paused).toEqual(['a']);
    await leases.enter(host, ref, connected(false));
    await leases.leave(host, ref, pause);
    expect(paused).toEqual(['a']);
  });

  test('another virtual cluster, or the same on another host, is another lease', async () => {
    const leases = new Leases();
    const paused: string[] = [];
    await leases.enter(host, ref, connected(true));
    await leases.enter({ server: 'https://other' } as Host, ref, connected(false));
    await leases.leave({ server: 'https://other' } as Host, ref, async () => void paused.push('other'));
    await leases.leave(host, ref, async () => void paused.push('host'));
    expect(paused).toEqual(['host']);
  });

  test('who comes while it is being paused waits for that, also when it fails', async () => {
    const leases = new Leases();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    await leases.enter(host, ref, connected(true));
    const leaving = leases.leave(host, ref, async () => {
      await gate.promise;
      order.push('paused');
      throw new Error('not all of it');
    });
    const entering = leases.enter(host, ref, async () => {
      order.push('connected');
      return { woke: true };
    });
    gate.resolve();
    await expect(leaving).rejects.toThrow('not all of it');
    await entering;
    expect(order).toEqual(['paused', 'connected']);
  });

  test('who does not get in is not counted', async () => {
    const leases = new Leases();
    const paused: string[] = [];
    await leases.enter(host, ref, connected(true));
    const failing = leases.enter(host, ref, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    await leases.leave(host, ref, async () => void paused.push('a'));
    expect(paused).toEqual(['a']);
  });
});
