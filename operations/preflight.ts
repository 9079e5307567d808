/**
 * What would go wrong when a virtual cluster is created, found out before anything is: each finding is a sentence for people,
 * with what to do. Reads only; asks the host's own authorizer about rights. For who brings a namespace along, or lets it be made.
 *
 * The chart refuses the same mistakes; this finds all of them at once, and rights, which Helm notices halfway.
 */
import { resolveKubernetesVersion } from '../config/kubernetes-versions.ts';
import { nameProblem } from '../config/names.ts';
import { valuesProblems } from '../config/parse.ts';
import { textOf } from './errors.ts';
import { HostForbiddenError } from './host-errors.ts';
import { kinds, openHost } from './host.ts';
import type { Host, HostChoice } from './host.ts';
import { findProblems } from './problems.ts';

export interface PreflightRequest extends HostChoice {
  readonly name: string;
  readonly namespace: string;
  /** Kubernetes version of the virtual cluster. */
  readonly version?: string | undefined;
  /** What will be passed to the chart. */
  readonly values?: unknown;
}

/** Everything that stands in the way; empty when the virtual cluster can be created (or upgraded). */
export async function preflight(request: PreflightRequest): Promise<readonly string[]> {
  const problems = requestProblems(request);
  try {
    const host = await openHost(request);
    const onHost = await hostProblems(host, request).finally(() => host.close());
    return [...new Set([...problems, ...onHost])];
  } catch (error) {
    return [...problems, `The host cluster cannot be asked: ${textOf(error)}`];
  }
}

/** What is wrong with the request itself, whatever the host. Pure. */
export function requestProblems({ name, namespace, version, values }: PreflightRequest): readonly string[] {
  const resolved = version === undefined ? undefined : resolveKubernetesVersion(version);
  return [
    nameProblem(name),
    namespaceNameProblem(namespace),
    resolved !== undefined && 'problem' in resolved ? resolved.problem : undefined,
    ...(values === undefined ? [] : valuesProblems(values)),
  ].filter((problem) => problem !== undefined);
}

function namespaceNameProblem(namespace: string): string | undefined {
  if (namespace.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(namespace)) return undefined;
  return `"${namespace}" cannot be a namespace: at most 63 lower-case letters, digits and "-". Choose another one.`;
}

async function hostProblems(host: Host, { name, namespace }: PreflightRequest): Promise<readonly string[]> {
  const lifecycle = (await isToBeMade(host, namespace)) ? 'create' : 'keep';
  const wish = {
    release: { name, namespace, values: {} },
    namespace: { name: namespace, lifecycle, cluster: name },
  } as const;
  return (await findProblems(host, wish)).flatMap(({ detail }) => detail.split('\n'));
}

/** Whoever may not look at namespaces makes none. */
async function isToBeMade(host: Host, name: string): Promise<boolean> {
  try {
    return (await host.tryGet(kinds.namespaces, { name })) === undefined;
  } catch (error) {
    if (error instanceof HostForbiddenError) return false;
    throw error;
  }
}
