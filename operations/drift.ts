/** What has changed outside of Terraform (or whoever owns the virtual cluster), as lines for people. */
import type { Host } from './host.ts';
import type { WantedRelease } from './release.ts';
import type { OperationOptions } from './types.ts';

export interface DriftOptions extends OperationOptions {
  /** Whether it is meant to be paused. */
  readonly paused?: boolean | undefined;
}

/**
 * Lines of drift, none when everything is as it was made: release missing or failed, values changed (`path: was → is`), objects
 * of the release edited or gone, Secret with the kubeconfig gone, pods not ready, paused or resumed by somebody else.
 * `wanted` is what was applied last. @throws HostError
 */
export function findDrift(host: Host, wanted: WantedRelease, options?: DriftOptions): Promise<readonly string[]> {
  throw new Error(`not written yet ${String(host)} ${String(wanted)} ${String(options)}`);
}
