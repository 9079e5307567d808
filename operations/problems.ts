/** What stands in the way of a virtual cluster on this host, found before anything is written; each its own message. */
import type { Host } from './host.ts';
import type { WantedNamespace } from './namespace.ts';
import type { WantedRelease } from './release.ts';
import type { OperationOptions } from './types.ts';

/** What a problem is about, so that a caller can point at the place in the user's configuration. */
export type ProblemSubject = 'host' | 'rights' | 'name' | 'namespace' | 'version' | 'values' | 'chart';

export interface Problem {
  readonly subject: ProblemSubject;
  /** One line without a full stop. */
  readonly summary: string;
  /** Why, and what to do. */
  readonly detail: string;
}

export interface Wish {
  readonly release: WantedRelease;
  readonly namespace: WantedNamespace;
}

/**
 * Everything that stands in the way; empty when it can be made or upgraded. Asks the host's own authorizer about rights; reads only.
 * @throws HostError when the host cannot be asked
 */
export function findProblems(host: Host, wish: Wish, options?: OperationOptions): Promise<readonly Problem[]> {
  throw new Error(`not written yet ${String(host)} ${String(wish)} ${String(options)}`);
}
