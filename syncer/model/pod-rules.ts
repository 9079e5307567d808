/**
 * What the operator of a virtual cluster enforces and allows for its pods. Parsed once at start from the options
 * `sync.toHost.pods`, `sync.fromHost.nodes.selector` and `policies`; tenants can neither see nor change it.
 */
import type { StringMap } from './object.ts';

/** Levels of the Pod Security Standards, weakest first. */
export const securityLevels = ['privileged', 'baseline', 'restricted'] as const;
export type SecurityLevel = (typeof securityLevels)[number];

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

/** The init container that writes /etc/hosts of pods with a subdomain (ADR 0010). */
export interface HostsWriter {
  readonly image: string;
  readonly pullPolicy: string;
  /** Host Secrets of the workload account; a pod that names its own gets no others from it. */
  readonly pullSecrets: readonly string[];
  readonly resources: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string | number>> | undefined>>;
}

export interface PodRules {
  readonly security: SecurityLevel;
  /** Undefined: /etc/hosts stays as the kubelet writes it. */
  readonly hostsWriter: HostsWriter | undefined;
  /** Labels that every node of these pods must have; stronger than what a pod says (POD-10). */
  readonly nodeSelector: StringMap;
  /** Added to every pod (POD-60). */
  readonly tolerations: readonly Toleration[];
  /** Keys of taints that pods may not tolerate; `*` stands for tolerations of every taint. */
  readonly deniedTolerations: readonly string[];
  /** Names that pods may use, `*` meaning any: schedulers (POD-44), priority classes (POD-52), runtime classes (POD-02, POD-56). */
  readonly schedulerNames: readonly string[];
  readonly priorityClasses: readonly string[];
  readonly runtimeClasses: readonly string[];
  /** Drivers that inline CSI volumes may name, `*` meaning any (POD-106). */
  readonly inlineCsiDrivers: readonly string[];
  /** Given to pods that keep no class of their own; empty means none (POD-53). */
  readonly defaultPriorityClass: string;
  /** Given to every pod, whatever it says; empty leaves it the choice (POD-56). */
  readonly runtimeClass: string;
  /** Images that stand for others on the host, by exact reference (POD-59). */
  readonly images: StringMap;
}
