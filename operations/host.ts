/**
 * One host cluster: who it is, how it is reached and as whom, and the few requests that operations make to it.
 *
 * Reads are tried again when the connection was reset; writes never are. A host that asks for patience (429, Retry-After) gets
 * it. Connections are kept and few, so that many virtual clusters at once do not open hundreds.
 */
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

export interface HostVersion {
  readonly major: string;
  readonly minor: string;
  /** As in `v1.36.3`. */
  readonly gitVersion: string;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default 15 s, from sending to the end of the answer. */
  readonly timeoutMs?: number | undefined;
}

export interface ListOptions extends RequestOptions {
  /** `key=value,…` */
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Only metadata is sent by the host. */
  readonly metadataOnly?: boolean | undefined;
}

/** Paths of the kinds that operations read and write. */
export const kinds = {
  namespaces: { group: '', version: 'v1', plural: 'namespaces' },
  pods: { group: '', version: 'v1', plural: 'pods' },
  services: { group: '', version: 'v1', plural: 'services' },
  secrets: { group: '', version: 'v1', plural: 'secrets' },
  configMaps: { group: '', version: 'v1', plural: 'configmaps' },
  events: { group: '', version: 'v1', plural: 'events' },
  serviceAccounts: { group: '', version: 'v1', plural: 'serviceaccounts' },
  persistentVolumeClaims: { group: '', version: 'v1', plural: 'persistentvolumeclaims' },
  persistentVolumes: { group: '', version: 'v1', plural: 'persistentvolumes' },
  resourceQuotas: { group: '', version: 'v1', plural: 'resourcequotas' },
  statefulSets: { group: 'apps', version: 'v1', plural: 'statefulsets' },
  storageClasses: { group: 'storage.k8s.io', version: 'v1', plural: 'storageclasses' },
} as const satisfies Readonly<Record<string, HostKind>>;

/**
 * Reads the access and gets ready to use it; asks the host nothing yet, so it works while the host is down.
 * @throws KubeconfigError when the kubeconfig is missing, incomplete or its plugin fails; WrongContextError
 */
export function openHost(choice: HostChoice): Promise<Host> {
  throw new Error(`not written yet ${String(choice)}`);
}

/** One host cluster. Every method throws subclasses of HostError; see host-errors.ts. */
export interface Host {
  /** URL of the API server; for messages. */
  readonly server: string;
  /** Current credentials; a plugin is asked again when they have expired. Secret: never print. */
  access(): Promise<HostAccess>;
  version(options?: RequestOptions): Promise<HostVersion>;
  /** @throws HostNotFoundError */
  get<T = HostObject>(
    kind: HostKind,
    ref: { namespace?: string | undefined; name: string },
    options?: RequestOptions,
  ): Promise<T>;
  /** Undefined only when the host itself says that there is none. */
  tryGet<T = HostObject>(
    kind: HostKind,
    ref: { namespace?: string | undefined; name: string },
    options?: RequestOptions,
  ): Promise<T | undefined>;
  /** All of them, page by page; everywhere when `namespace` is undefined. */
  list<T = HostObject>(kind: HostKind, namespace: string | undefined, options?: ListOptions): Promise<readonly T[]>;
  /** @throws HostConflictError when it exists */
  create<T = HostObject>(
    kind: HostKind,
    namespace: string | undefined,
    object: object,
    options?: RequestOptions,
  ): Promise<T>;
  /** A merge patch (RFC 7386); null removes. With metadata.resourceVersion in it a HostConflictError tells of others' changes. */
  patch<T = HostObject>(
    kind: HostKind,
    ref: { namespace?: string | undefined; name: string },
    patch: object,
    options?: RequestOptions & { subresource?: string },
  ): Promise<T>;
  /** Deletes in the background; quiet when there is none. `uid` protects a successor of the same name. */
  delete(
    kind: HostKind,
    ref: { namespace?: string | undefined; name: string; uid?: string | undefined },
    options?: RequestOptions,
  ): Promise<void>;
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
