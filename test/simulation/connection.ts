/**
 * What lies between one life of the syncer and one API server. Every call takes time on both ways; while faults are on, calls and
 * answers get lost, servers refuse, watches stall, repeat themselves and break. When the syncer dies, what it has sent still
 * arrives and nobody hears the answer.
 */
import type { Cluster, DeleteOptions, ListPage, Scope, WatchEvent } from '../../syncer/model/cluster.ts';
import { ConnectionError } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { pods } from '../../syncer/model/kubernetes.ts';
import { keyOf } from '../../syncer/model/object.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { keyText } from '../../syncer/model/side.ts';
import type { Key, Side } from '../../syncer/model/side.ts';
import { incarnationOf } from '../../syncer/translate/metadata.ts';
import { refusal } from './api-server.ts';
import type { ApiServer } from './api-server.ts';
import type { Circumstances } from './circumstances.ts';
import { Stream } from './stream.ts';

export class Connection implements Cluster {
  readonly side: Side;
  /** Cleared when the syncer dies. */
  alive = true;
  readonly #server: ApiServer;
  readonly #around: Circumstances;
  /** UIDs that this life of the syncer has been shown: it may delete nothing else (I5). */
  readonly #seen = new Set<string>();

  constructor(server: ApiServer, around: Circumstances) {
    this.side = server.side;
    this.#server = server;
    this.#around = around;
  }

  list(kind: Kind, { namespace }: Scope): Promise<ListPage> {
    return this.#call(`list ${kind.plural}`, () => {
      const items = this.#server.list(kind, namespace).map((item) => this.#shown(item));
      return { items, resourceVersion: String(this.#server.version) };
    });
  }

  async *watch(kind: Kind, { namespace }: Scope, version: string): AsyncGenerator<WatchEvent> {
    const stream = new Stream(this.#server, this.#around, { kind, namespace, from: Number(version) });
    for (;;) {
      const event = await stream.next();
      if (!this.alive) await new Promise(() => {});
      if (event.type !== 'BOOKMARK') this.#shown(event.object);
      yield event;
    }
  }

  get(kind: Kind, key: Key): Promise<KubeObject | undefined> {
    return this.#call(`get ${kind.plural} ${keyText(key)}`, () => {
      const found = this.#server.get(kind, key);
      return found && this.#shown(found);
    });
  }

  create(kind: Kind, object: KubeObject): Promise<KubeObject> {
    const original = incarnationOf(object);
    const of = original === undefined ? '' : ` of ${original}`;
    return this.#write(`create ${kind.plural} ${keyText(keyOf(object))}${of}`, () =>
      this.#shown(this.#server.create(kind, sent(object))),
    );
  }

  patch(kind: Kind, key: Key, patch: object, subresource?: string): Promise<KubeObject> {
    const where = subresource === undefined ? kind.plural : `${kind.plural}/${subresource}`;
    return this.#write(`patch ${where} ${keyText(key)}`, () =>
      this.#shown(this.#server.patch(kind, key, sent(patch), subresource)),
    );
  }

  replace(kind: Kind, object: KubeObject): Promise<KubeObject> {
    return this.#write(`replace ${kind.plural} ${keyText(keyOf(object))}`, () =>
      this.#shown(this.#server.replace(kind, sent(object))),
    );
  }

  remove(kind: Kind, key: Key, { uid, graceSeconds }: DeleteOptions): Promise<KubeObject | undefined> {
    const what = `delete ${kind.plural} ${keyText(key)} of UID ${uid}, grace ${graceSeconds}`;
    if (!this.#seen.has(uid)) this.#around.violated(`I5: ${this.side} ${what}: this UID was never seen`);
    return this.#write(what, () => this.#server.remove(kind, key, { uid, graceSeconds }));
  }

  post(kind: Kind, key: Key, subresource: string, body: object): Promise<unknown> {
    return this.#write(`post ${kind.plural}/${subresource} ${keyText(key)}`, () => {
      if (subresource === 'binding') return this.#bind(key, body);
      const { name, uid } = (body as { spec: { boundObjectRef: { name: string; uid: string } } }).spec.boundObjectRef;
      const pod = this.#server.get(pods, { namespace: key.namespace, name });
      if (pod?.metadata.uid !== uid) throw refusal(409, `pod ${name} of UID ${uid} is not there`);
      return { status: { token: `token of ${name}` } };
    });
  }

  #bind(key: Key, body: object): object {
    const { target, metadata } = body as { target: { name: string }; metadata: { uid?: string } };
    this.#checkBinding(key);
    this.#server.bind(key, { node: target.name, uid: metadata.uid });
    return {};
  }

  /** Without faults, every key waits for the effect of its own POST (CORE-20); a tenant's change may be taken for that effect. */
  #checkBinding(key: Key): void {
    const pod = this.#server.get(pods, key);
    const touched = pod?.metadata.labels?.['tier'] !== undefined;
    if (this.#around.faulty || touched || (pod?.spec.nodeName ?? '') === '') return;
    this.#around.violated(`CORE-20: pod ${key.name} was bound twice`);
  }

  #write<T>(what: string, carryOut: () => T): Promise<T> {
    this.#around.writes++;
    return this.#call(what, carryOut);
  }

  #call<T>(what: string, carryOut: () => T): Promise<T> {
    const around = this.#around;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const reply = (how: string, answer: () => void): void => {
      around.trace(`${this.side} ${what}: ${how}`);
      around.clock.after(around.latencyMs(), () => {
        if (this.alive) answer();
      });
    };
    const arrive = (): void => {
      if (around.chance(0.04)) return reply('lost', () => reject(new ConnectionError('request lost')));
      if (around.chance(0.03)) return reply('500', () => reject(refusal(500, 'server in trouble')));
      try {
        const answer = carryOut();
        if (around.chance(0.06)) return reply('answer lost', () => reject(new ConnectionError('answer lost')));
        return reply('done', () => resolve(answer));
      } catch (error) {
        return reply(String(error), () => reject(error));
      }
    };
    around.clock.after(around.latencyMs(), arrive);
    return promise;
  }

  #shown<T extends KubeObject>(object: T): T {
    this.#seen.add(object.metadata.uid ?? '');
    return object;
  }
}

/** What is left of a value that goes over a wire. */
function sent<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
