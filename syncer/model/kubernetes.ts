/** The kinds that the syncer touches, each with the fields it reads. Everything else in an object passes through. */
import type { Kind } from './kind.ts';
import type { KubeObject, StringMap } from './object.ts';

type Open = Readonly<Record<string, unknown>>;

export interface Condition extends Open {
  readonly type: string;
  readonly status: string;
}

export interface EnvVar extends Open {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: Open;
}

export interface Container extends Open {
  readonly name: string;
  readonly image?: string;
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly Open[];
}

export interface Volume extends Open {
  readonly name: string;
}

export interface PodSpec extends Open {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly ephemeralContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly imagePullSecrets?: readonly { readonly name?: string }[];
  readonly nodeName?: string;
  readonly serviceAccountName?: string;
  readonly hostNetwork?: boolean;
  readonly dnsPolicy?: string;
  readonly dnsConfig?: {
    readonly nameservers?: readonly string[];
    readonly searches?: readonly string[];
    readonly options?: readonly { readonly name: string; readonly value?: string }[];
  };
  readonly hostname?: string;
  readonly subdomain?: string;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly hostAliases?: readonly { readonly ip: string; readonly hostnames?: readonly string[] }[];
  readonly tolerations?: readonly Open[];
  readonly affinity?: Open;
  readonly topologySpreadConstraints?: readonly Open[];
  readonly readinessGates?: readonly { readonly conditionType: string }[];
  readonly activeDeadlineSeconds?: number;
  readonly schedulingGates?: readonly { readonly name: string }[];
}

export interface ContainerStatus extends Open {
  readonly name: string;
}

export interface PodStatus extends Open {
  readonly phase?: string;
  readonly startTime?: string;
  readonly hostIP?: string;
  readonly hostIPs?: readonly { readonly ip: string }[];
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly qosClass?: string;
  readonly conditions?: readonly Condition[];
  readonly containerStatuses?: readonly ContainerStatus[];
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
}

export interface Pod extends KubeObject {
  readonly spec: PodSpec;
  readonly status?: PodStatus;
}

export interface ServicePort extends Open {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly nodePort?: number;
}

export interface ServiceSpec extends Open {
  readonly type?: string;
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly ipFamilies?: readonly string[];
  readonly ipFamilyPolicy?: string;
  readonly ports?: readonly ServicePort[];
  readonly selector?: StringMap;
  readonly externalName?: string;
  readonly healthCheckNodePort?: number;
}

export interface Service extends KubeObject {
  readonly spec: ServiceSpec;
  readonly status?: Open & { readonly loadBalancer?: Open };
}

export interface ConfigMap extends KubeObject {
  readonly data?: StringMap;
  readonly binaryData?: StringMap;
  readonly immutable?: boolean;
}

export interface Secret extends KubeObject {
  readonly type?: string;
  readonly data?: StringMap;
  readonly immutable?: boolean;
}

export interface NodeAddress {
  readonly type: string;
  readonly address: string;
}

export interface Node extends KubeObject {
  readonly spec?: Open & { readonly taints?: readonly (Open & { readonly key: string })[] };
  readonly status?: Open & { readonly addresses?: readonly NodeAddress[]; readonly conditions?: readonly Condition[] };
}

export interface ObjectReference extends Open {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly fieldPath?: string;
  readonly resourceVersion?: string;
}

export interface Event extends KubeObject {
  readonly involvedObject: ObjectReference;
  readonly related?: ObjectReference;
  readonly reason?: string;
  readonly message?: string;
  readonly type?: string;
  readonly count?: number;
  readonly series?: Open & { readonly count?: number };
  readonly lastTimestamp?: string | null;
}

export interface EndpointSlice extends KubeObject {
  readonly addressType: string;
  readonly endpoints?: readonly (Open & { readonly addresses: readonly string[] })[];
  readonly ports?: readonly Open[];
}

const core = { group: '', version: 'v1', namespaced: true } as const;

export const pods: Kind<Pod> = { ...core, plural: 'pods', kind: 'Pod' };
export const services: Kind<Service> = { ...core, plural: 'services', kind: 'Service' };
export const configMaps: Kind<ConfigMap> = { ...core, plural: 'configmaps', kind: 'ConfigMap' };
export const secrets: Kind<Secret> = { ...core, plural: 'secrets', kind: 'Secret' };
export const events: Kind<Event> = { ...core, plural: 'events', kind: 'Event' };
export const namespaces: Kind = { ...core, plural: 'namespaces', kind: 'Namespace', namespaced: false };
export const nodes: Kind<Node> = { ...core, plural: 'nodes', kind: 'Node', namespaced: false };
export const serviceAccounts: Kind = { ...core, plural: 'serviceaccounts', kind: 'ServiceAccount' };
export const endpointSlices: Kind<EndpointSlice> = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  kind: 'EndpointSlice',
  namespaced: true,
};
