/**
 * One host cluster: who it is, how it is reached and as whom, and the few requests that operations make to it.
 *
 * Reads are tried again when the connection was reset; writes never are. A host that asks for patience (429, Retry-After) gets
 * it. Connections are kept and few, so that many virtual clusters at once do not open hundreds.
 */
import { HostClient } from './host-client.ts';
import { readAccess } from './kubeconfig.ts';
import type { HostAccess, HostChoice } from './kubeconfig.ts';
import type { HostObject } from './types.ts';

export type { HostAccess, HostChoice } from './kubeconfig.ts';

/** A kind of the host as the API server's paths spell it. */
export interface HostKind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

export interface ObjectRef {
  /** Undefined for kinds without namespaces. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface HostVersion {
  readonly major: string;
  readonly minor: string;
  /** As in `v1.36.3`. */
  readonly gitVersion: string;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default 15 s for each try, from sending to the end of the answer. */
  readonly timeoutMs?: number | undefined;
  /** Header of that name; default: JSON. */
  readonly accept?: string | undefined;
}

export interface PatchOptions extends RequestOptions {
  readonly subresource?: string | undefined;
}

export interface ListOptions extends RequestOptions {
  /** `key=value,…` */
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Only metadata is sent by the host. */
  readonly metadataOnly?: boolean | undefined;
}

type KindName =
  | 'namespaces'
  | 'pods'
  | 'services'
  | 'secrets'
  | 'configMaps'
  | 'events'
  | 'serviceAccounts'
  | 'persistentVolumeClaims'
  | 'persistentVolumes'
  | 'statefulSets'
  | 'storageClasses';

const core = (plural: string): HostKind => ({ group: '', version: 'v1', plural });

/** The kinds that operations read and write. */
export const kinds: Readonly<Record<KindName, HostKind>> = {
  namespaces: core('namespaces'),
  pods: core('pods'),
  services: core('services'),
  secrets: core('secrets'),
  configMaps: core('configmaps'),
  events: core('events'),
  serviceAccounts: core('serviceaccounts'),
  persistentVolumeClaims: core('persistentvolumeclaims'),
  persistentVolumes: core('persistentvolumes'),
  statefulSets: { group: 'apps', version: 'v1', plural: 'statefulsets' },
  storageClasses: { group: 'storage.k8s.io', version: 'v1', plural: 'storageclasses' },
};

/** One host cluster. Every method throws subclasses of HostError (host-errors.ts), or AbortedError when its signal aborts. */
export interface Host {
  /** URL of the API server; for messages. */
  readonly server: string;
  /** Credentials that are good now; `again` when the host did not take the last ones. Secret: never print. */
  access(again?: boolean): Promise<HostAccess>;
  version(options?: RequestOptions): Promise<HostVersion>;
  /** @throws HostNotFoundError */
  get<T = HostObject>(kind: HostKind, ref: ObjectRef, options?: RequestOptions): Promise<T>;
  /** Undefined only when the host itself says that there is none. */
  tryGet<T = HostObject>(kind: HostKind, ref: ObjectRef, options?: RequestOptions): Promise<T | undefined>;
  /** All of them, page by page; everywhere when `namespace` is undefined. */
  list<T = HostObject>(kind: HostKind, namespace: string | undefined, options?: ListOptions): Promise<readonly T[]>;
  /** @throws HostConflictError when it exists */
  create<T = HostObject>(
    kind: HostKind,
    namespace: string | undefined,
    object: object,
    options?: RequestOptions,
  ): Promise<T>;
  /** A merge patch (RFC 7386); null removes. With metadata.resourceVersion in it, others' changes are a HostConflictError. */
  patch<T = HostObject>(kind: HostKind, ref: ObjectRef, patch: object, options?: PatchOptions): Promise<T>;
  /** Deletes in the background; quiet when there is none. `uid` protects a successor of the same name. */
  delete(kind: HostKind, ref: ObjectRef & { uid?: string | undefined }, options?: RequestOptions): Promise<void>;
  /** Any other request: `path` from the root with its query. @returns parsed JSON, or the text when it is not JSON */
  request(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    options?: RequestOptions,
  ): Promise<unknown>;
  /** Ends its connections. */
  close(): void;
}

/**
 * Reads the access and gets ready to use it; asks the host nothing yet and runs no plugin, so it works while the host is down.
 * @throws KubeconfigError when the kubeconfig is missing or incomplete; WrongContextError
 */
export async function openHost(choice: HostChoice): Promise<Host> {
  return new HostClient(readAccess(choice));
}
