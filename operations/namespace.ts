/**
 * The namespace of a virtual cluster on the host: who makes it, changes it, and whether it goes with the virtual cluster.
 *
 * Ours = carries our annotation. One that is not ours is never changed or deleted. docs/adr/0022.
 */
import { OperationError } from './errors.ts';
import type { Host } from './host.ts';
import type { OperationOptions, WaitOptions } from './types.ts';

/**
 * create: made here, an error when it exists and is not ours; adopt: made or taken over, ours from then on and deleted at the end;
 * keep: must exist, never changed or deleted.
 */
export type NamespaceLifecycle = 'create' | 'adopt' | 'keep';

export interface WantedNamespace {
  readonly name: string;
  readonly lifecycle: NamespaceLifecycle;
  /** The virtual cluster that it is for: one namespace is ours for one virtual cluster. */
  readonly cluster: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The namespace is not as its lifecycle wants it. */
export class NamespaceError extends OperationError {
  override readonly name = 'NamespaceError';
}

/** What would be refused, in words; undefined when nothing. Reads only. @throws HostError */
export function namespaceProblem(
  host: Host,
  wanted: WantedNamespace,
  options?: OperationOptions,
): Promise<string | undefined> {
  throw new Error(`not written yet ${String(host)} ${String(wanted)} ${String(options)}`);
}

/**
 * Makes it as wanted: labels and annotations that we set before and that are no longer wanted are removed, others' are kept.
 * @throws NamespaceError, HostError
 */
export function applyNamespace(host: Host, wanted: WantedNamespace, options?: OperationOptions): Promise<void> {
  throw new Error(`not written yet ${String(host)} ${String(wanted)} ${String(options)}`);
}

/** Lines of drift of a namespace that is ours: gone, label `path: was → is`. */
export function namespaceDrift(
  host: Host,
  wanted: WantedNamespace,
  options?: OperationOptions,
): Promise<readonly string[]> {
  throw new Error(`not written yet ${String(host)} ${String(wanted)} ${String(options)}`);
}

/** Deletes it when it is ours, and waits until it is gone. @returns false when it is not ours, or not there */
export function removeNamespace(
  host: Host,
  wanted: Pick<WantedNamespace, 'name' | 'lifecycle' | 'cluster'>,
  options?: WaitOptions,
): Promise<boolean> {
  throw new Error(`not written yet ${String(host)} ${String(wanted)} ${String(options)}`);
}
