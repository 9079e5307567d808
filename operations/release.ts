/**
 * One Helm release: put into the wanted state, read, removed. Reading takes no helm: releases are Secrets of the host.
 *
 * Never waits for pods (wait.ts does). A release that an interrupted helm has left pending is healed before anything else.
 */
import type { Host } from './host.ts';
import type { ClusterRef, OperationOptions } from './types.ts';

/** What Helm calls the states of a revision. */
export type ReleaseStatus =
  | 'unknown'
  | 'deployed'
  | 'uninstalled'
  | 'superseded'
  | 'failed'
  | 'uninstalling'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback';

export interface Release extends ClusterRef {
  readonly status: ReleaseStatus;
  readonly revision: number;
  /** Helm's own word on it, such as "Install complete". */
  readonly description: string;
  /** When this revision was begun; ISO 8601. */
  readonly updated: string;
  readonly chart: { readonly name: string; readonly version: string; readonly appVersion: string };
  /** What the user gave, without the chart's defaults. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What it put onto the host, as YAML. */
  readonly manifest: string;
}

export interface WantedRelease extends ClusterRef {
  /** Chart values; what the chart's schema refuses fails before anything is written. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Labels of the virtual cluster, written to the value controlPlane.statefulSet.labels; listClusters() selects by them. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Folder of a chart; default: the one that ships with this version. */
  readonly chart?: string | undefined;
}

/** The values that applyRelease() gives to Helm: `values` with the labels in their place. Pure. */
export function valuesOf(wanted: WantedRelease): Readonly<Record<string, unknown>> {
  throw new Error(`not written yet ${String(wanted)}`);
}

/**
 * Installs or upgrades. Idempotent; the namespace must be there. A failed revision is upgraded over, one that was left pending
 * is first rolled back (upgrade) or removed (install). @throws HelmError with Helm's words; HostError; AbortedError
 */
export function applyRelease(host: Host, wanted: WantedRelease, options?: OperationOptions): Promise<Release> {
  throw new Error(`not written yet ${String(host)} ${String(wanted)} ${String(options)}`);
}

/** The newest revision; undefined when there is no release of that name, also when only a removed one is remembered. */
export function readRelease(host: Host, ref: ClusterRef, options?: OperationOptions): Promise<Release | undefined> {
  throw new Error(`not written yet ${String(host)} ${String(ref)} ${String(options)}`);
}

/** Removes it; quiet when there is none. Volumes that are to be retained stay. */
export function uninstallRelease(host: Host, ref: ClusterRef, options?: OperationOptions): Promise<void> {
  throw new Error(`not written yet ${String(host)} ${String(ref)} ${String(options)}`);
}
