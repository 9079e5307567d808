/**
 * The Cluster interface over HTTP/2: reads and writes share one connection, bounded below the server's own limit, watches have
 * others, so that neither can delay the other (findings A.4).
 */
import { isStatus, ApiError, ConnectionError } from '../model/errors.ts';
import type { Cluster, DeleteOptions, ListPage, Scope, WatchEvent } from '../model/cluster.ts';
import { apiVersion, collectionPath, objectPath } from '../model/kind.ts';
import type { Kind } from '../model/kind.ts';
import type { KubeObject } from '../model/object.ts';
import type { Key, Side } from '../model/side.ts';
import { Limit } from './limit.ts';
import { lines } from './lines.ts';
import { readAll, refusal, request, responseHeaders } from './request.ts';
import type { Request } from './request.ts';
import { Session } from './session.ts';
import type { Access } from './session.ts';

/** A service account gets 429 somewhere above 400 in flight, and the rate does not grow above 64 (findings A.4). */
const inFlightMax = 64;
const pageSize = 500;
/** Bookmarks come about once a minute; a watch that is silent for longer hangs on a half-open connection. */
const watchIdleMs = 90_000;

interface List {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly KubeObject[];
}

interface Line {
  readonly type: string;
  readonly object: KubeObject & { readonly code?: number; readonly message?: string; readonly reason?: string };
}

export class Client implements Cluster {
  readonly side: Side;
  readonly #session: Session;
  readonly #watches: Session;
  readonly #limit = new Limit(inFlightMax);
  readonly #random: () => number;

  constructor(side: Side, access: Access, random: () => number = Math.random) {
    this.side = side;
    this.#session = new Session(access);
    this.#watches = new Session(access);
    this.#random = random;
  }

  async list(kind: Kind, scope: Scope, signal: AbortSignal): Promise<ListPage> {
    const items: KubeObject[] = [];
    let resourceVersion = '';
    let next: string | undefined;
    do {
      const query = new URLSearchParams({ limit: String(pageSize) });
      if (next !== undefined) query.set('continue', next);
      const path = `${collectionPath(kind, scope.namespace)}?${query.toString()}`;
      const page = (await this.#request({ method: 'GET', path, signal })) as List;
      for (const item of page.items) items.push(trim(item));
      resourceVersion = page.metadata.resourceVersion;
      next = page.metadata.continue;
    } while (next !== undefined && next !== '');
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
    const idle = new AbortController();
    const stream = this.#watches.open('GET', path, {}, AbortSignal.any([signal, idle.signal]));
    const watchdog = setTimeout(() => {
      idle.abort();
      this.#watches.abandon();
    }, watchIdleMs);
    try {
      stream.end();
      const headers = await responseHeaders(stream);
      if (Number(headers[':status']) !== 200) throw refusal(`WATCH ${path}`, headers, await readAll(stream));
      for await (const line of lines(stream as AsyncIterable<Uint8Array>)) {
        watchdog.refresh();
        yield decode(path, line);
      }
    } catch (cause) {
      if (cause instanceof ApiError || signal.aborted) throw cause;
      throw new ConnectionError(`WATCH ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    } finally {
      clearTimeout(watchdog);
      stream.destroy();
    }
  }

  async get(kind: Kind, key: Key): Promise<KubeObject | undefined> {
    try {
      return trim((await this.#request({ method: 'GET', path: objectPath(kind, key) })) as KubeObject);
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async create(kind: Kind, object: KubeObject): Promise<KubeObject> {
    const body = { apiVersion: apiVersion(kind), kind: kind.kind, ...object };
    const path = collectionPath(kind, object.metadata.namespace ?? '');
    return trim((await this.#request({ method: 'POST', path, body })) as KubeObject);
  }

  async patch(kind: Kind, key: Key, patch: object, subresource?: string): Promise<KubeObject> {
    const path = objectPath(kind, key, subresource);
    return trim((await this.#request({ method: 'PATCH', path, body: patch })) as KubeObject);
  }

  async replace(kind: Kind, object: KubeObject): Promise<KubeObject> {
    const { namespace, name } = object.metadata;
    const path = objectPath(kind, { namespace: namespace ?? '', name });
    const body = { apiVersion: apiVersion(kind), kind: kind.kind, ...object };
    return trim((await this.#request({ method: 'PUT', path, body })) as KubeObject);
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
    try {
      const answer = (await this.#request({ method: 'DELETE', path, body })) as KubeObject;
      const onItsWayOut = answer.kind === kind.kind && answer.metadata.deletionTimestamp !== undefined;
      return onItsWayOut && !wasRemovedAtOnce(answer) ? trim(answer) : undefined;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async post(kind: Kind, key: Key, subresource: string, body: object): Promise<unknown> {
    return this.#request({ method: 'POST', path: objectPath(kind, key, subresource), body });
  }

  #request(what: Request): Promise<unknown> {
    return this.#limit.run(() => request(this.#session, what));
  }
}

/** With no grace and no finalizers the server answers with the object's last state, but it is gone. */
function wasRemovedAtOnce(object: KubeObject): boolean {
  const { deletionGracePeriodSeconds, finalizers } = object.metadata;
  return (deletionGracePeriodSeconds ?? 0) === 0 && (finalizers ?? []).length === 0;
}

/** Nobody here reads managedFields, and they are half of a pod's memory (benchmarks §2). */
function trim(object: KubeObject): KubeObject {
  delete (object.metadata as { managedFields?: unknown }).managedFields;
  return object;
}

function decode(path: string, text: string): WatchEvent {
  const line = JSON.parse(text) as Line;
  switch (line.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: line.type, object: trim(line.object) };
    case 'BOOKMARK':
      return { type: 'BOOKMARK', resourceVersion: line.object.metadata.resourceVersion ?? '' };
    default:
      throw new ApiError(`WATCH ${path}: ${line.object.message ?? line.type}`, {
        status: line.object.code ?? 500,
        reason: line.object.reason ?? line.type,
      });
  }
}
