/**
 * Who keeps a woken virtual cluster awake. Several ephemeral resources of one run may use the same one: it is paused again when
 * the last of them is closed or has failed to open, and nobody opens it while that is going on.
 */
import type { Host } from '../../operations/host.ts';
import { orAborted } from '../../operations/poll.ts';
import type { ClusterRef } from '../../operations/types.ts';

interface Lease {
  users: number;
  woke: boolean;
  /** Settles when the last change of its users is through. */
  turn: Promise<unknown>;
}

/** Somebody who wants to get into a virtual cluster, for as long as he wants to. */
export interface User {
  readonly host: Host;
  readonly ref: ClusterRef;
  readonly signal: AbortSignal;
}

/** The leases of one process. */
export class Leases {
  readonly #pause: (host: Host, ref: ClusterRef) => Promise<unknown>;
  readonly #leases = new Map<string, Lease>();

  constructor(pause: (host: Host, ref: ClusterRef) => Promise<unknown>) {
    this.#pause = pause;
  }

  /**
   * Counts in a user, who then connects; `connect` calls `woke` when it had to wake the virtual cluster. When it throws, the user is
   * counted out, as by {@link leave}, and the error thrown on; so he is when the signal ends his wait.
   */
  async enter<T>({ host, ref, signal }: User, connect: (woke: () => void) => Promise<T>): Promise<T> {
    const lease = this.#find(host, ref);
    lease.users += 1;
    try {
      await orAborted(lease.turn, signal, 'waited until the virtual cluster was paused');
      return await connect(() => {
        lease.woke = true;
      });
    } catch (error) {
      // Why it could not be opened matters more than that it could not be paused either.
      await this.leave(host, ref).catch(() => undefined);
      throw error;
    }
  }

  /** Counts a user out; the last one pauses what somebody had to wake. */
  async leave(host: Host, ref: ClusterRef): Promise<void> {
    const lease = this.#find(host, ref);
    lease.users -= 1;
    if (lease.users > 0 || !lease.woke) return;
    lease.woke = false;
    const paused = this.#pause(host, ref);
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
