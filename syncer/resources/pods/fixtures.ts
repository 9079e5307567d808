/** Small worlds for the tests of this folder: views over plain lists of objects. Reads are recorded, as the loop does. */
import { apiVersion } from '../../model/kind.ts';
import type { Kind } from '../../model/kind.ts';
import { namespaces, nodes, pods, secrets, services } from '../../model/kubernetes.ts';
import type { Pod, PodSpec, PodStatus } from '../../model/kubernetes.ts';
import type { KubeObject, Metadata } from '../../model/object.ts';
import type { PodRules } from '../../model/pod-rules.ts';
import { keyText } from '../../model/side.ts';
import type { Key, Of, Side } from '../../model/side.ts';
import type { Index, Reader, Release, View } from '../../model/view.ts';
import { release } from '../../../test/support/release.ts';

export interface World {
  readonly virtual?: readonly KubeObject[];
  readonly host?: readonly KubeObject[];
  readonly nowMs?: number;
  /** What the operator enforces, beside what is so without any rule. */
  readonly rules?: Partial<PodRules>;
  readonly hostMinor?: number;
}

export interface TestView extends View {
  readonly read: readonly string[];
}

export function viewOf(world: World): TestView {
  const read: string[] = [];
  return {
    release: ruled(world.rules, world.hostMinor),
    nowMs: world.nowMs ?? 0,
    read,
    virtual: readerOf<'virtual'>(world.virtual ?? [], 'virtual', read),
    host: readerOf<'host'>(world.host ?? [], 'host', read),
  };
}

/** The virtual cluster of the tests with other rules for its pods. */
export function ruled(rules: Partial<PodRules> = {}, hostMinor: number = release.hostMinor): Release {
  return { ...release, hostMinor, podRules: { ...release.podRules, ...rules } };
}

/** The namespace `shop` and the host's DNS service: what every pod needs to be created. */
export const usual: Required<Pick<World, 'virtual' | 'host'>> = {
  virtual: [object(namespaces, { name: 'shop', labels: { 'kubernetes.io/metadata.name': 'shop', tier: 'front' } })],
  host: [
    object(
      services,
      { name: 'kube-dns-x-kube-system-x-vc1', namespace: 'tenant-a' },
      { spec: { clusterIP: '10.96.0.53', clusterIPs: ['10.96.0.53'] } },
    ),
  ],
};

export function object<T extends KubeObject>(kind: Kind<T>, metadata: Metadata, rest: object = {}): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- test objects have the fields that their test is about
  return { apiVersion: apiVersion(kind), kind: kind.kind, metadata, ...rest } as unknown as T;
}

/** A virtual pod `web-0` in `shop`. */
export function podOf(spec: Partial<PodSpec> = {}, metadata: Partial<Metadata> = {}, status?: PodStatus): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-0', namespace: 'shop', uid: 'web-uid', resourceVersion: '7', generation: 1, ...metadata },
    spec: { containers: [{ name: 'app', image: 'app:1' }], enableServiceLinks: true, ...spec },
    ...(status && { status }),
  };
}

export function nodeOf(name: string): KubeObject {
  return object(nodes, { name });
}

const plurals = new Map([pods, services, namespaces, nodes, secrets].map((kind) => [kind.kind, kind.plural]));

function readerOf<S extends Side>(objects: readonly KubeObject[], side: S, read: string[]): Reader<S> {
  const ofKind = <T extends KubeObject>(kind: Kind<T>): readonly Of<S, T>[] =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- found by its kind
    objects.filter((each) => plurals.get(each.kind ?? '') === kind.plural) as unknown as readonly Of<S, T>[];
  const find = <T extends KubeObject>(kind: Kind<T>, key: Key<S>): Of<S, T> | undefined =>
    ofKind(kind).find(({ metadata }) => metadata.name === key.name && (metadata.namespace ?? '') === key.namespace);
  return {
    get: (kind, key) => {
      read.push(`${side} ${kind.plural} ${keyText(key)}`);
      return find(kind, key);
    },
    peek: find,
    list: (kind, namespace) => {
      read.push(`${side} ${kind.plural} in ${namespace}`);
      return ofKind(kind).filter(({ metadata }) => namespace === '' || metadata.namespace === namespace);
    },
    indexed: <T extends KubeObject>(index: Index<S, T>, value: string) =>
      ofKind(index.kind).filter((each) => index.values(each).includes(value)),
    findIndexed: <T extends KubeObject>(
      index: Index<S, T>,
      value: string,
      passes: (object: Of<S, T>) => boolean = () => true,
    ) => ofKind(index.kind).find((each) => index.values(each).includes(value) && passes(each)),
  };
}
