/**
 * What the gateway needs from the rest of the syncer: look-ups over its caches, a way to the host API server, a log. The
 * gateway decides nothing about the cluster's state by itself, and everything it may reach is named by the view.
 */
import type { KubeObject } from '../model/object.ts';
import type { Key, Virtual } from '../model/side.ts';

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The host pod that stands for a virtual pod. */
export interface HostPod {
  readonly hostKey: Key<'host'>;
  /** UID of the virtual pod. */
  readonly uid: string;
  /** Names in the virtual spec: containers, init and ephemeral ones. What a host adds to its pod cannot be reached. */
  readonly containers: readonly string[];
  readonly nodeName?: string | undefined;
}

/**
 * Look-ups, each answered from the caches at the moment of asking. Addresses are given in the form of canonicalAddress()
 * (address.ts); an implementation compares them with addresses brought into the same form.
 */
export interface GatewayView {
  /** Only pods of this virtual cluster (spec NAM-30) whose host pod belongs to the live incarnation. */
  hostPodOf(key: Key<'virtual'>): HostPod | undefined;
  isNodeAddress(ip: string): boolean;
  /** A cluster IP and port of one of this virtual cluster's own Services. */
  serviceTarget(ip: string, port: number): boolean;
  /** An address of one of this virtual cluster's own pods: running, and not in the network of its node. */
  podAddress(ip: string): boolean;
  podsOnNode(nodeName: string): readonly Virtual<KubeObject>[];
  nodeNameOfAddress(ip: string): string | undefined;
}

/** How to reach the host API server, and as whom. */
export interface HostAccess {
  readonly url: URL;
  readonly ca: () => string;
  /** Asked for every request: tokens are renewed. */
  readonly credentials: () => {
    readonly token?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
  };
  /** The one host namespace of this virtual cluster; nothing outside of it is ever asked for. */
  readonly namespace: string;
}

export interface GatewayOptions {
  /** Unix socket that the virtual API server's egress selector names. An old file in its place is removed. */
  readonly socketPath: string;
  readonly log: Logger;
  readonly view: GatewayView;
  readonly host: HostAccess;
  /** PEM of the CA that signed the certificate with which the virtual API server speaks to kubelets. */
  readonly kubeletClientCa: string;
  /** PEM. The virtual API server does not verify it: nobody else can reach the socket. */
  readonly serverCertificate: { readonly cert: string; readonly key: string };
  /**
   * Whether upgrades by GET (WebSocket) are taken besides POST (SPDY). With them, the right to `get nodes/proxy` is enough to
   * run commands in pods (spec KUB-22). The virtual API server sends GET only to nodes that declare the feature
   * ExtendWebSocketsToKubelet; to all others it translates WebSocket into SPDY itself.
   * @default false
   */
  readonly upgradesByGet?: boolean | undefined;
  /** Sessions and log streams at once. @default 100 */
  readonly streamsMax?: number | undefined;
  /** Connections to services and pods at once. @default 512 */
  readonly tunnelsMax?: number | undefined;
}

/** Why a request is not served, for the person who made it. */
export interface Refusal {
  readonly is: 'refused';
  readonly status: number;
  readonly message: string;
}

export function refuse(status: number, message: string): Refusal {
  return { is: 'refused', status, message };
}
