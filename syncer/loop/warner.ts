/**
 * Warning events on tenants' objects. One object and reason and message make one event, written once: a loop that meets the
 * same refusal again adds nothing, neither in this process nor after a restart.
 */
import { createHash } from 'node:crypto';
import type { Cluster } from '../model/cluster.ts';
import { isStatus } from '../model/errors.ts';
import { apiVersion } from '../model/kind.ts';
import type { Kind } from '../model/kind.ts';
import { events } from '../model/kubernetes.ts';
import type { Event } from '../model/kubernetes.ts';
import type { KubeObject } from '../model/object.ts';
import type { Warner } from './perform.ts';

/** Names of events already written are forgotten oldest first: the server knows them too. */
const writtenMax = 10_000;
/** The API server's own limit for a message. */
const messageLengthMax = 1_024;

export class EventWarner implements Warner {
  readonly #virtual: Cluster;
  readonly #now: () => number;
  readonly #written = new Set<string>();

  constructor(virtual: Cluster, now: () => number = Date.now) {
    this.#virtual = virtual;
    this.#now = now;
  }

  async warn(kind: Kind, object: KubeObject, reason: string, message: string): Promise<void> {
    const event = this.#event(kind, object, { reason, message: message.slice(0, messageLengthMax) });
    const id = `${event.metadata.namespace ?? ''}/${event.metadata.name}`;
    if (this.#written.has(id)) return;
    try {
      await this.#virtual.create(events, event);
    } catch (error) {
      // Exists, or its namespace is on its way out: either way there is nobody left to tell.
      if (!isStatus(error, 409, 403, 404)) throw error;
    }
    this.#written.add(id);
    const [oldest] = this.#written;
    if (this.#written.size > writtenMax && oldest !== undefined) this.#written.delete(oldest);
  }

  #event(kind: Kind, object: KubeObject, { reason, message }: { reason: string; message: string }): Event {
    const { name, namespace = 'default', uid = '' } = object.metadata;
    const digest = createHash('sha256')
      .update(`${kind.plural}\0${uid}\0${reason}\0${message}`)
      .digest('hex')
      .slice(0, 16);
    const at = new Date(this.#now()).toISOString().replace(/\.\d+Z$/, 'Z');
    return {
      metadata: { name: `${name.slice(0, 200)}.${digest}`, namespace },
      involvedObject: { apiVersion: apiVersion(kind), kind: kind.kind, name, namespace, uid },
      reason,
      message,
      type: 'Warning',
      source: { component: 'vcluster-syncer' },
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    } as Event;
  }
}
