/**
 * The helm binary: found, or fetched for the user with its checksum, and run with a private kubeconfig. No secret and no value
 * ever stands on its command line.
 */
import type { Host } from './host.ts';
import { OperationError } from './errors.ts';
import type { OperationOptions } from './types.ts';

/** Helm failed; `detail` has its own words, made readable, and what to do. */
export class HelmError extends OperationError {
  override readonly name: string = 'HelmError';
}

/** A way to run helm that is known to be there. */
export interface Helm {
  readonly path: string;
  /** Such as `3.22.0`. */
  readonly version: string;
}

/**
 * $VCLUSTER_HELM, else `helm` on PATH when it is 3.14 or a later 3, else the user's cache, else an official download into it.
 * @throws HelmError when there is none and none can be had
 */
export function findHelm(options?: OperationOptions): Promise<Helm> {
  throw new Error(`not written yet ${String(options)}`);
}

export interface HelmRun extends OperationOptions {
  readonly namespace: string;
  /** What it reads from stdin. */
  readonly input?: string | undefined;
}

/** Runs helm against the host. Aborting sends SIGTERM and waits until it has ended. @returns stdout @throws HelmError, AbortedError */
export function runHelm(host: Host, args: readonly string[], run: HelmRun): Promise<string> {
  throw new Error(`not written yet ${String(host)} ${String(args)} ${String(run)}`);
}
