/**
 * The Cluster interface over HTTP/2: reads and writes share one connection, bounded below the server's own limit, watches have
 * others, so that neither can delay the other (findings A.4).
 */
import { ApiError, isStatus } from '../model/errors.ts';
import type { Cluster, DeleteOptions, ListPage, ListScope, Scope, WatchEvent } from '../model/cluster.ts';
import { apiVersion, collectionPath, objectPath } from '../model/kind.ts';
import type { Kind } from '../model/kind.ts';
import type { KubeObject } from '../model/object.ts';
import type { Key, Side } from '../model/side.ts';
import { TooLongError } from './answer.ts';
import { decodeList, decodeObject } from './decode.ts';
import type { List } from './decode.ts';
import { Limit } from './limit.ts';
import type { Place } from './limit.ts';
import { request } from './request.ts';
import type { Request } from './request.ts';
import { Session } from './session.ts';
import type { Access } from './session.ts';
import type { Telemetry, Verb } from './telemetry.ts';
import { watchEvents } from './watch-stream.ts';

/** A service account gets 429 somewhere above 400 in flight, and the rate does not grow above 64 (findings A.4). */
const inFlightMax = 64;
const pageSizeMax = 500;
/** One connection carries everything as long as the server allows 64 streams on it. */
const requestConnectionsMax = 8;
const watchConnectionsMax = 64;
/** Small, and somebody waits for them: they never stand behind bulk. */
const urgentSubresources: ReadonlySet<string | undefined> = new Set(['status', 'binding', 'eviction']);

/** The form of a list in which items have metadata only. */
const metadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

export interface ClientOptions {
  readonly random?: () => number;
  readonly telemetry?: Telemetry;
  /** Milliseconds after which a watch that shows nothing is given up. */
  readonly watchIdleMaxMs?: number;
}

interface PageWish {
  size: number;
  /** Where the last page ended; empty for the first. */
  next: string;
  readonly signal: AbortSignal;
}

/** What a request is, for its place in the queue and for telemetry. */
interface About {
  readonly verb: Verb;
  readonly kind: Pick<Kind, 'plural'>;
  readonly subresource?: string | undefined;
}

export class Client implements Cluster {
  readonly side: Side;
  readonly #session: Session;
  readonly #watches: Session;
  readonly #limit = new Limit(inFlightMax);
  readonly #random: () => number;
  readonly #telemetry: Telemetry;
  readonly #watchIdleMaxMs: number;

  constructor(side: Side, access: Access, options: ClientOptions = {}) {
    const { random = Math.random, telemetry = {}, watchIdleMaxMs = 90_000 } = options;
    this.side = side;
    this.#session = new Session(access, { connectionsMax: requestConnectionsMax, random });
    this.#watches = new Session(access, { connectionsMax: watchConnectionsMax, random });
    this.#random = random;
    this.#telemetry = telemetry;
    this.#watchIdleMaxMs = watchIdleMaxMs;
  }

  /** Requests under way, watches not counted. */
  get inFlight(): number {
    return this.#limit.running;
  }

  async list(kind: Kind, scope: ListScope, signal: AbortSignal): Promise<ListPage> {
    const items: KubeObject[] = [];
    const wish: PageWish = { size: scope.versionOnly === true ? 1 : pageSizeMax, next: '', signal };
    for (;;) {
      const page = await this.#page(kind, scope, wish);
      for (const item of page.items ?? []) items.push(item);
      const { resourceVersion, continue: next = '' } = page.metadata;
      if (next === '' || scope.versionOnly === true) return { items, resourceVersion };
      wish.next = next;
    }
  }

  async *watch(kind: Kind, scope: Scope, resourceVersion: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const query = new URLSearchParams({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion,
      timeoutSeconds: String(300 + Math.floor(this.#random() * 300)),
    });
    const path = `${collectionPath(kind, scope.namespace)}?${query.toString()}`;
    const unreadable = (why: string): void => this.#telemetry.unreadable?.({ side: this.side, kind: kind.plural, why });
    yield* watchEvents(this.#watches, { path, signal, unreadable, idleMaxMs: this.#watchIdleMaxMs });
  }

  async get(kind: Kind, key: Key): Promise<KubeObject | undefined> {
    try {
      return await this.#objectOf({ method: 'GET', path: objectPath(kind, key) }, { verb: 'get', kind });
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  create(kind: Kind, object: KubeObject): Promise<KubeObject> {
    const body = { apiVersion: apiVersion(kind), kind: kind.kind, ...object };
    const path = collectionPath(kind, object.metadata.namespace ?? '');
    return this.#objectOf({ method: 'POST', path, body }, { verb: 'create', kind });
  }

  patch(kind: Kind, key: Key, patch: object, subresource?: string): Promise<KubeObject> {
    const path = objectPath(kind, key, subresource);
    return this.#objectOf({ method: 'PATCH', path, body: patch }, { verb: 'patch', kind, subresource });
  }

  replace(kind: Kind, object: KubeObject): Promise<KubeObject> {
    const { namespace, name } = object.metadata;
    const path = objectPath(kind, { namespace: namespace ?? '', name });
    const body = { apiVersion: apiVersion(kind), kind: kind.kind, ...object };
    return this.#objectOf({ method: 'PUT', path, body }, { verb: 'replace', kind });
  }

  async remove(kind: Kind, key: Key, { uid, graceSeconds }: DeleteOptions): Promise<KubeObject | undefined> {
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid },
      propagationPolicy: 'Background',
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
    };
    const path = objectPath(kind, key);
    const decode = (text: string): KubeObject => decodeObject(kind.kind, text, 'Status');
    try {
      const answer = (await this.#request(
        { method: 'DELETE', path, body, decode },
        { verb: 'delete', kind },
      )) as KubeObject;
      const onItsWayOut = answer.kind === kind.kind && answer.metadata.deletionTimestamp !== undefined;
      return onItsWayOut && !wasRemovedAtOnce(answer) ? answer : undefined;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** The minor version of the server's Kubernetes; undefined when it does not say. */
  async minorVersion(): Promise<number | undefined> {
    const about: About = { verb: 'get', kind: { plural: 'version' } };
    const answer = await this.#request({ method: 'GET', path: '/version' }, about).catch((error: unknown) => {
      if (isStatus(error, 403, 404)) return {};
      throw error;
    });
    // A server in the middle of an upgrade serves what its former version did.
    const { minor, emulationMinor = minor } = answer as { readonly minor?: string; readonly emulationMinor?: string };
    const parsed = Number.parseInt(emulationMinor ?? '', 10); // Clouds write "36+".
    return Number.isNaN(parsed) ? undefined : parsed;
  }

  post(kind: Kind, key: Key, subresource: string, body: object): Promise<unknown> {
    const path = objectPath(kind, key, subresource);
    return this.#request({ method: 'POST', path, body }, { verb: 'post', kind, subresource });
  }

  async #page(kind: Kind, scope: ListScope, wish: PageWish): Promise<List> {
    const { notOlderThan, namespace, metadataOnly } = scope;
    const query = new URLSearchParams({ limit: String(wish.size) });
    if (wish.next !== '') query.set('continue', wish.next);
    else if (notOlderThan !== undefined) {
      query.set('resourceVersion', notOlderThan);
      query.set('resourceVersionMatch', 'NotOlderThan');
    }
    const path = `${collectionPath(kind, namespace)}?${query.toString()}`;
    const accept = metadataOnly === true ? metadataList : undefined;
    const what: Request = { method: 'GET', path, signal: wish.signal, accept, decode: decodeList };
    try {
      return (await this.#request(what, { verb: 'list', kind })) as List;
    } catch (error) {
      if (!(error instanceof TooLongError) || wish.size === 1) throw error;
      // Objects of a megabyte each: the rest in smaller pages.
      wish.size = Math.ceil(wish.size / 8);
      return this.#page(kind, scope, wish);
    }
  }

  async #objectOf(what: Request, about: About & { readonly kind: Kind }): Promise<KubeObject> {
    const decode = (text: string): KubeObject => decodeObject(about.kind.kind, text);
    return (await this.#request({ ...what, decode }, about)) as KubeObject;
  }

  async #request(what: Request, { verb, kind: { plural }, subresource }: About): Promise<unknown> {
    const kind = subresource === undefined ? plural : `${plural}/${subresource}`;
    const isUrgent = urgentSubresources.has(subresource) || plural === 'leases';
    const place: Place = { lane: isUrgent ? 'urgent' : 'normal', kind };
    const startedMs = performance.now();
    let status = 0;
    try {
      const answer = await this.#limit.run(() => request(this.#session, what), place);
      this.#limit.succeeded();
      status = 200;
      return answer;
    } catch (error) {
      if (isStatus(error, 429)) this.#limit.tooMany();
      if (error instanceof ApiError) status = error.status;
      throw error;
    } finally {
      const seconds = (performance.now() - startedMs) / 1000;
      this.#telemetry.requested?.({ side: this.side, verb, kind, status, seconds });
    }
  }
}

/** With no grace and no finalizers the server answers with the object's last state, but it is gone. */
function wasRemovedAtOnce(object: KubeObject): boolean {
  const { deletionGracePeriodSeconds, finalizers } = object.metadata;
  return (deletionGracePeriodSeconds ?? 0) === 0 && (finalizers ?? []).length === 0;
}
