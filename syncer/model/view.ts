/**
 * What pure code may read: a frozen moment of both caches. Reading is subscribing: whatever a plan has read through a Reader
 * (also in vain) puts its key back into the queue when it changes. `peek` reads without subscribing.
 */
import type { Kind } from './kind.ts';
import type { KubeObject } from './object.ts';
import type { PodRules } from './pod-rules.ts';
import type { Key, Of, Side } from './side.ts';

/** The settings of one virtual cluster that translation depends on; but for `service` they never change while the process runs. */
export interface Release {
  /** Name of the virtual cluster, of its Helm release and of its Service. */
  readonly name: string;
  /** The one host namespace that everything of it lives in. */
  readonly namespace: string;
  /** Service `<name>` in the host namespace, as it is now: owner of every host object (D8), address of the virtual API server. */
  readonly service: { readonly uid: string; readonly clusterIPs: readonly string[] };
  /** How often a replaced backing store was accepted; resourceVersions are comparable within one epoch only (OPS-08). */
  readonly storeEpoch: number;
  readonly clusterDomain: string;
  /** Host service account of all tenant pods; it has no rights. */
  readonly workloadServiceAccount: string;
  readonly kubernetesVersion: string;
  /** As Kubernetes names it (`amd64`, `arm64`): of the machine that the syncer runs on, and so of the host's nodes. */
  readonly architecture: string;
  /** Minor version of the host's Kubernetes, as its API server said at start. */
  readonly hostMinor: number;
  readonly podRules: PodRules;
}

/** Finds objects by something else than their key. Values are computed when an object enters the cache. */
export interface Index<S extends Side = Side, T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly side: S;
  readonly kind: Kind<T>;
  /** Written as a method so that an index of pods is an index of objects, too. */
  values(object: Of<S, T>): readonly string[];
}

export interface Reader<S extends Side> {
  get<T extends KubeObject>(kind: Kind<T>, key: Key<S>): Of<S, T> | undefined;
  peek<T extends KubeObject>(kind: Kind<T>, key: Key<S>): Of<S, T> | undefined;
  /** All objects of a kind in one namespace; an empty namespace means all. */
  list<T extends KubeObject>(kind: Kind<T>, namespace: string): readonly Of<S, T>[];
  indexed<T extends KubeObject>(index: Index<S, T>, value: string): readonly Of<S, T>[];
  /** The first object under a value that passes; looks no further, so it costs the same with one pod and with ten thousand. */
  findIndexed<T extends KubeObject>(
    index: Index<S, T>,
    value: string,
    passes?: (object: Of<S, T>) => boolean,
  ): Of<S, T> | undefined;
}

export interface View {
  readonly release: Release;
  /** Milliseconds since 1970, the same for the whole plan. */
  readonly nowMs: number;
  readonly virtual: Reader<'virtual'>;
  readonly host: Reader<'host'>;
}
