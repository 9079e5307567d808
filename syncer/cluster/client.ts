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

export interface ClientOptions {
  readonly random?: () => number;
  readonly telemetry?: Telemetry;
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

  constructor(side: Side, access: Access, { random = Math.random, telemetry = {} }: ClientOptions = {}) {
    this.side = side;
    this.#session = new Session(access, { connectionsMax: requestConnectionsMax, random });
    this.#watches = new Session(access, { connectionsMax: watchConnectionsMax, random });
    this.#random = random;
    this.#telemetry = telemetry;
  }

  async list(kind: Kind, scope: ListScope, signal: AbortSignal): Promise<ListPage> {
    const items: KubeObject[] = [];
    let pageSize = scope.versionOnly === true ? 1 : pageSizeMax;
    let resourceVersion = '';
    let next = '';
    do {
      try {
        const page = await this.#page(kind, scope, { pageSize, next, signal });
        for (const item of page.items ?? []) items.push(item);
        resourceVersion = page.metadata.resourceVersion;
        next = scope.versionOnly === true ? '' : (page.metadata.continue ?? '');
      } catch (error) {
        if (!(error instanceof TooLongError) || pageSize === 1) throw error;
        // Objects of a megabyte each: the rest in smaller pages.
        pageSize = Math.ceil(pageSize / 8);
      }
    } while (resourceVersion === '' || next !== '');
    return { items, resourceVersion };
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
    yield* watchEvents(this.#watches, { path, signal, unreadable });
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
    const { minor } = answer as { readonly minor?: string };
    const parsed = Number.parseInt(minor ?? '', 10); // Clouds write "36+".
    return Number.isNaN(parsed) ? undefined : parsed;
  }

  post(kind: Kind, key: Key, subresource: string, body: object): Promise<unknown> {
    const path = objectPath(kind, key, subresource);
    return this.#request({ method: 'POST', path, body }, { verb: 'post', kind, subresource });
  }

  async #page(
    kind: Kind,
    { namespace, notOlderThan }: ListScope,
    { pageSize, next, signal }: { readonly pageSize: number; readonly next: string; readonly signal: AbortSignal },
  ): Promise<List> {
    const query = new URLSearchParams({ limit: String(pageSize) });
    if (next !== '') query.set('continue', next);
    else if (notOlderThan !== undefined) {
      query.set('resourceVersion', notOlderThan);
      query.set('resourceVersionMatch', 'NotOlderThan');
    }
    const path = `${collectionPath(kind, namespace)}?${query.toString()}`;
    const about: About = { verb: 'list', kind };
    return (await this.#request({ method: 'GET', path, signal, decode: decodeList }, about)) as List;
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
