/** Removes a virtual cluster and everything of it, or says what is left. */
import { OperationError } from './errors.ts';
import type { Host } from './host.ts';
import type { NamespaceLifecycle } from './namespace.ts';
import type { ClusterRef, WaitOptions } from './types.ts';

/** Something could not be removed in time; `left` names it. Deleting again goes on. */
export class LeftoversError extends OperationError {
  override readonly name = 'LeftoversError';
  /** `kind/name`. */
  readonly left: readonly string[];

  constructor(summary: string, detail: string, left: readonly string[]) {
    super(summary, detail);
    this.left = left;
  }
}

export interface DeleteOptions extends WaitOptions {
  /** Default `keep`: the namespace stays. */
  readonly lifecycle?: NamespaceLifecycle | undefined;
}

export interface DeleteResult {
  /** What stays on purpose, `kind/name: why`, such as a retained volume. */
  readonly kept: readonly string[];
}

/**
 * Idempotent, also for one that was never ready, half-made or is gone already. @throws LeftoversError, HelmError, HostError, AbortedError
 */
export function deleteCluster(host: Host, ref: ClusterRef, options?: DeleteOptions): Promise<DeleteResult> {
  throw new Error(`not written yet ${String(host)} ${String(ref)} ${String(options)}`);
}
