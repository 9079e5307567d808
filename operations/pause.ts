/** Puts a virtual cluster to sleep, with its data kept, and wakes it. Annotations are those that other tools know. */
import type { Host } from './host.ts';
import type { ClusterRef, WaitOptions } from './types.ts';

export interface PauseResult {
  /** False when it was paused already. */
  readonly changed: boolean;
  /** For people: such as pods without a controller, which do not come back. */
  readonly warnings: readonly string[];
}

/**
 * Stops the control plane, waits until its pod is gone, then removes the tenant's pods from the host. Idempotent: goes on where
 * an interrupted one has stopped. @throws HostNotFoundError when there is no such virtual cluster
 */
export function pauseCluster(host: Host, ref: ClusterRef, options?: WaitOptions): Promise<PauseResult> {
  throw new Error(`not written yet ${String(host)} ${String(ref)} ${String(options)}`);
}

/** Starts the control plane again; does not wait (waitUntilReady does). Idempotent. @returns whether it was paused */
export function resumeCluster(host: Host, ref: ClusterRef, options?: WaitOptions): Promise<boolean> {
  throw new Error(`not written yet ${String(host)} ${String(ref)} ${String(options)}`);
}
