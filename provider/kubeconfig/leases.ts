/**
 * Who keeps a woken virtual cluster awake. Several ephemeral resources of one run may use the same one: it is paused again when
 * the last of them is closed, and nobody opens it while that is going on.
 */
import type { Host } from '../../operations/host.ts';
import type { ClusterRef } from '../../operations/types.ts';

interface Lease {
  users: number;
  woke: boolean;
  /** Settles when the last change of its users is through. */
  turn: Promise<unknown>;
}

/** The leases of one process. */
export class Leases {
  readonly #leases = new Map<string, Lease>();

  /** Counts in a user, who then connects; `connect` returns whether it had to wake the virtual cluster. Counted out when it throws. */
  async enter<T extends { readonly woke: boolean }>(
    host: Host,
    ref: ClusterRef,
    connect: () => Promise<T>,
  ): Promise<T> {
    const lease = this.#find(host, ref);
    lease.users += 1;
    await lease.turn;
    try {
      const connected = await connect();
      lease.woke ||= connected.woke;
      return connected;
    } catch (error) {
      lease.users -= 1;
      throw error;
    }
  }

  /** Counts a user out; when it was the last one, `pause` is called if somebody had to wake the virtual cluster. */
  async leave(host: Host, ref: ClusterRef, pause: () => Promise<void>): Promise<void> {
    const lease = this.#find(host, ref);
    lease.users -= 1;
    if (lease.users > 0 || !lease.woke) return;
    lease.woke = false;
    const paused = pause();
    lease.turn = paused.catch(() => undefined);
    await paused;
  }

  #find(host: Host, { namespace, name }: ClusterRef): Lease {
    const key = JSON.stringify([host.server, namespace, name]);
    const lease = this.#leases.get(key) ?? { users: 0, woke: false, turn: Promise.resolve() };
    this.#leases.set(key, lease);
    return lease;
  }
}
