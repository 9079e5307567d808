/**
 * What the tests of hostile tenants and of a meddling host share: a pair of clusters with a namespace in it, objects by a line,
 * raw JSON past every client, and the tenant's view of what was refused.
 */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Kind } from '../../syncer/model/kind.ts';
import { configMaps, events, pods, secrets, services } from '../../syncer/model/kubernetes.ts';
import type { Event, Pod, PodSpec } from '../../syncer/model/kubernetes.ts';
import type { KubeObject, Metadata } from '../../syncer/model/object.ts';
import type { Side } from '../../syncer/model/side.ts';
import { hostName } from '../../syncer/translate/names.ts';
import { made, namespace as shop } from '../samples/sample.ts';
import { census, idle, secondLook } from '../support/census.ts';
import { eventually, until } from '../support/eventually.ts';
import { clusterDnsRuns, makeNamespace } from '../support/namespaces.ts';
import { hostNamespace, releaseName, startPair } from '../support/pair.ts';
import type { Pair, PairOptions } from '../support/pair.ts';
import { randomFrom } from '../support/random.ts';

export { shop };

/** SEED=<number> repeats a run; FAULTS=long makes the counts larger. */
export const seed: number = Number(process.env['SEED'] ?? 20_261_123);
export const random: () => number = randomFrom(seed);
export const isLong: boolean = process.env['FAULTS'] === 'long';

export type Spec = Partial<PodSpec> & Readonly<Record<string, unknown>>;
type Named = Partial<Metadata> & { readonly name: string };

export const container = { name: 'c', image: 'app:1' };

/** A pod that runs on kwok's node. */
export function podOf(metadata: string | Named, spec: Spec = {}): KubeObject {
  return made(pods, named(metadata), { spec: { containers: [container], ...spec } });
}

/** A config map that is on the host although no pod uses it. */
export function configMapOf(metadata: string | Named, data: Readonly<Record<string, string>> = { a: 'b' }): KubeObject {
  return made(configMaps, forced(named(metadata)), { data });
}

export function secretOf(metadata: string | Named, rest: object = {}): KubeObject {
  return made(secrets, forced(named(metadata)), { data: { key: 'dmFsdWU=' }, ...rest });
}

export function serviceOf(metadata: string | Named, spec: object = {}): KubeObject {
  return made(services, named(metadata), { spec: { selector: { app: 'web' }, ports: [{ port: 80 }], ...spec } });
}

function named(metadata: string | Named): Named {
  return typeof metadata === 'string' ? { name: metadata } : metadata;
}

function forced(metadata: Named): Named {
  return { ...metadata, annotations: { 'vcluster.loft.sh/force-sync': 'true', ...metadata.annotations } };
}

export class Stage {
  readonly pair: Pair;

  private constructor(pair: Pair) {
    this.pair = pair;
  }

  static async open(name: string, options: PairOptions = {}): Promise<Stage> {
    const stage = new Stage(await startPair(name, options));
    await clusterDnsRuns(stage.pair);
    await stage.namespace(shop);
    return stage;
  }

  async namespace(name: string): Promise<void> {
    await makeNamespace(this.pair, name);
  }

  async create(kind: Kind, object: KubeObject): Promise<KubeObject> {
    return this.pair.virtual.create(kind, object);
  }

  /** Where the host object of a virtual one is. */
  hostKey(name: string, namespace: string = shop): { readonly namespace: string; readonly name: string } {
    return { namespace: hostNamespace, name: hostName(name, namespace, { name: releaseName }) };
  }

  async host<T extends KubeObject>(kind: Kind<T>, name: string, namespace: string = shop): Promise<T | undefined> {
    return (await this.pair.host.get(kind, this.hostKey(name, namespace))) as T | undefined;
  }

  async virtual<T extends KubeObject>(kind: Kind<T>, name: string, namespace: string = shop): Promise<T | undefined> {
    return (await this.pair.virtual.get(kind, { namespace, name })) as T | undefined;
  }

  /** The host object of a virtual one, once it is there and as it should be. */
  async onHost<T extends KubeObject>(
    kind: Kind<T>,
    name: string,
    passes: (object: T) => boolean = () => true,
  ): Promise<T> {
    return eventually(`${kind.kind} ${name} on the host, as expected`, async () => {
      const object = await this.host(kind, name);
      return object !== undefined && passes(object) ? object : undefined;
    });
  }

  /** Creates a pod and waits until the tenant sees it run. */
  async run(metadata: string | Named, spec: Spec = {}): Promise<Pod> {
    const pod = await this.create(pods, podOf(metadata, spec));
    return this.running(pod.metadata.name);
  }

  async running(name: string, timeoutMs?: number): Promise<Pod> {
    const probe = async (): Promise<Pod | undefined> => {
      const pod = await this.virtual(pods, name);
      return pod?.status?.phase === 'Running' ? pod : undefined;
    };
    return eventually(`pod ${name} to run`, probe, timeoutMs);
  }

  async list<T extends KubeObject>(side: Side, kind: Kind<T>): Promise<readonly T[]> {
    const scope = { namespace: side === 'host' ? hostNamespace : '' };
    return (await this.pair[side].list(kind, scope, AbortSignal.timeout(20_000))).items as readonly T[];
  }

  async remove(side: Side, kind: Kind, object: KubeObject | undefined, graceSeconds = 0): Promise<void> {
    if (object === undefined) return;
    const { name, namespace = '', uid = '' } = object.metadata;
    await this.pair[side].remove(kind, { namespace, name }, { uid, graceSeconds });
  }

  async gone(side: Side, kind: Kind, object: KubeObject): Promise<void> {
    const { name, namespace = '', uid } = object.metadata;
    await until(`${side} ${kind.kind} ${name} to be gone`, async () => {
      const found = await this.pair[side].get(kind, { namespace, name });
      return found?.metadata.uid !== uid;
    });
  }

  /** Warnings on an object, as its tenant reads them. */
  async warnings(object: KubeObject): Promise<readonly Event[]> {
    const all = await this.list<Event>('virtual', events);
    return all.filter(
      (event) => event['type'] === 'Warning' && event.involvedObject.uid === object.metadata.uid && !isOfHost(event),
    );
  }

  /** A warning on an object whose message has a part; none may name anything of the host. */
  async warning(object: KubeObject, part: string | RegExp): Promise<Event> {
    const { name } = object.metadata;
    const found = await eventually(`a warning on ${name} with ${String(part)}`, async () => {
      const said = await this.warnings(object);
      return said.find(({ message = '' }) => (typeof part === 'string' ? message.includes(part) : part.test(message)));
    });
    expectNothingOfTheHost(found.message ?? '');
    return found;
  }

  /** Errors that the syncer was not made for, as it logged them. */
  async unexpected(): Promise<readonly string[]> {
    const log = await readFile(join(this.pair.virtualPlane.dir, 'syncer.log'), 'utf8');
    return log.split('\n').filter((line) => line.includes('"Unexpected error"'));
  }

  /** @throws when the syncer met an unexpected error */
  async close(): Promise<void> {
    await this.pair.stop();
    const [first] = await this.unexpected();
    if (first !== undefined) throw new Error(`The syncer met an unexpected error: ${first}`);
  }

  /** Nobody writes, not after everything was looked at again, either [I2]. @returns what was written all the same */
  async writtenAtRest(): Promise<readonly string[]> {
    await idle(this.pair.syncer);
    const before = await census(this.pair);
    await secondLook(this.pair);
    const after = await census(this.pair);
    const ids = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return ids.filter((id) => before[id] !== after[id]);
  }

  /** Removes everything of the tenant from the namespace, so that a test leaves nothing to the next. */
  async clear(): Promise<void> {
    const own = (object: KubeObject): boolean =>
      object.metadata.namespace === shop && object.metadata.name !== 'kube-root-ca.crt';
    for (const kind of [pods, services, configMaps, secrets]) {
      const objects = (await this.list<KubeObject>('virtual', kind)).filter(own);
      await Promise.all(objects.map((object) => this.remove('virtual', kind, object)));
      await Promise.all(objects.map((object) => this.gone('virtual', kind, object)));
      await until(`${kind.plural} on the host to go`, async () =>
        (await this.list<KubeObject>('host', kind)).every(
          ({ metadata }) => metadata.labels?.['vcluster.loft.sh/namespace'] !== shop,
        ),
      );
    }
  }

  /** The next object that a probe proves to be synced: what came before it has been looked at by then. */
  async alive(name: string): Promise<void> {
    const probe = await this.create(configMaps, configMapOf(name));
    await this.onHost(configMaps, name);
    await this.remove('virtual', configMaps, probe);
  }
}

/** Events of the host's scheduler and kubelets that the syncer shows; not the syncer's own. */
function isOfHost(event: KubeObject & { readonly source?: { readonly component?: string } }): boolean {
  return event.source?.component !== 'vcluster-syncer';
}

/** I7: no host namespace, host name, account or address. */
export function expectNothingOfTheHost(message: string): void {
  const traces = message.match(/tenant-a|-x-|system:|https?:\/\/|127\.0\.0\.1|vcluster\.loft\.sh/gu) ?? [];
  if (traces.length > 0) throw new Error(`A tenant can read "${traces.join('", "')}" of the host in: ${message}`);
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface Raw {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly body?: string;
}

/** A request with a body exactly as given, as no client would write it. */
export async function raw(pair: Pair, side: Side, { method, path, body }: Raw): Promise<Answer> {
  const { url, pki } = side === 'host' ? pair.hostPlane : pair.virtualPlane;
  const [ca, cert, key] = await Promise.all([pki.caCert, pki.adminCert, pki.adminKey].map((file) => readFile(file)));
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const headers = { 'content-type': type, accept: 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, url), { method, ca, cert, key, headers }, (answer) => {
      text(answer).then((found) => resolve({ status: answer.statusCode ?? 0, body: found }), reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
