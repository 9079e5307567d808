/** The little of a pod that is looked at here, and what its containers are doing. Types and pure functions. */
import type { HostObject } from './types.ts';

interface Waiting {
  readonly reason?: string;
  readonly message?: string;
}

export interface Terminated {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
}

interface ContainerState {
  readonly waiting?: Waiting;
  readonly running?: object;
  readonly terminated?: Terminated;
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly image: string;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

export interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
}

export interface Pod extends HostObject {
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly [field: string]: unknown;
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly PodCondition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly [field: string]: unknown;
  };
}

export interface StatefulSet extends HostObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: { readonly spec: Pod['spec'] };
    readonly [field: string]: unknown;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly replicas?: number;
    readonly [field: string]: unknown;
  };
}

/** In the order in which they are started. */
export function containerStatuses({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** In the same order, as they were asked for. */
export function containersOf(spec: Pod['spec']): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}
