/** Waits until a virtual cluster is ready, and says why it is not. */
import { OperationError } from './errors.ts';
import type { Host } from './host.ts';
import type { ClusterRef, WaitOptions } from './types.ts';

/** It was not ready in time; `detail` names the pod's reason, the failing container, its last lines, and what to do. */
export class NotReadyError extends OperationError {
  override readonly name = 'NotReadyError';
}

/** Default of {@link waitUntilReady}. */
export const readyTimeoutMs = 300_000;

/**
 * Ready: the newest pod template runs, its API server, controllers and syncer are ready, the kubeconfig Secret is published.
 * What cannot heal by itself is told to `log` as soon as it is seen, and ends the wait at the timeout only.
 * @throws NotReadyError, AbortedError, HostError
 */
export function waitUntilReady(host: Host, ref: ClusterRef, options?: WaitOptions): Promise<void> {
  throw new Error(`not written yet ${String(host)} ${String(ref)} ${String(options)}`);
}
