/**
 * Looks at the host while a change is planned, so that what cannot work is refused before anything is written, at the attribute
 * that is to blame.
 *
 * Invariant: a plan never fails because the host cannot be asked right now. It may be made in the same apply, or planning may be
 * done with fewer rights than applying; then people are warned, and the apply looks again and refuses.
 */
import type { Host } from '../../operations/host.ts';
import { findProblems } from '../../operations/problems.ts';
import type { Problem, ProblemSubject } from '../../operations/problems.ts';
import { readCluster } from '../../operations/cluster.ts';
import { OperationError } from '../../operations/errors.ts';
import { ifAllowed } from '../../operations/host-errors.ts';
import type { ConfiguredProvider } from '../configured.ts';
import type { Attributes } from '../framework/attributes.ts';
import { failure, ProviderError, warning } from '../framework/diagnostics.ts';
import type { Diagnostic, Path } from '../framework/diagnostics.ts';
import type { PlanCall } from '../framework/resource.ts';
import { isUnknown, isWhollyKnown } from '../framework/values.ts';
import type { ValueRecord } from '../framework/values.ts';
import { asCluster } from './attributes.ts';
import type { ClusterObject } from './attributes.ts';
import { wasReady } from './memory.ts';
import { wishOf } from './wish.ts';

export type ClusterPlanCall = PlanCall<Attributes, ConfiguredProvider>;

/** The attribute that a problem is about. */
const blamed: Readonly<Record<ProblemSubject, Path | undefined>> = {
  host: undefined,
  rights: undefined,
  name: ['name'],
  namespace: ['namespace'],
  missingNamespace: ['namespace'],
  chart: ['chart_path'],
};

/** What may be otherwise by the time of the apply, and who would have seen to it. */
const hopes: Readonly<Partial<Record<ProblemSubject, string>>> = {
  rights: 'The apply will be refused, unless it is made by an account that may do this.',
  missingNamespace: 'The apply will be refused, unless another resource of this plan makes the namespace first.',
};

/** What stands in the way of a planned object, as far as it can be told now. */
export async function hostDiagnostics(call: ClusterPlanCall, planned: ValueRecord): Promise<readonly Diagnostic[]> {
  const { signal, log } = call;
  if (!isCheckable(planned)) return [];
  try {
    const host = await knownHost(call);
    if (host === undefined) return [];
    const cluster = asCluster(isWhollyKnown(planned['values'] ?? null) ? planned : { ...planned, values: null });
    const problems = await findProblems(host, wishOf(withKnownOptions(cluster)), {
      signal,
      log: (line) => log.debug(line),
    });
    const diagnostics = problems.map((problem) => planDiagnostic(problem, call));
    return [...diagnostics, ...(await taken(call, host, cluster))];
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return [
      warning(
        'The host cluster could not be asked whether this will work',
        `${error.summary}: ${error.detail} The apply will look again, before it writes anything.`,
      ),
    ];
  }
}

/** The problems of an apply: the first one is thrown. */
export function refuse(problems: readonly Problem[]): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  const more = others.map(({ summary, detail }) => `\n\nAlso: ${summary}: ${detail}`).join('');
  const path = blamed[first.subject];
  throw new ProviderError(first.summary, `${first.detail}${more}`, { ...(path && { path }) });
}

function planDiagnostic({ subject, summary, detail }: Problem, call: ClusterPlanCall): Diagnostic {
  // A path to what the user has not written points at nothing.
  const path = blamed[subject];
  const written = path !== undefined && (call.config[String(path[0])] ?? null) !== null ? path : undefined;
  const hope = hopes[subject];
  return hope === undefined ? failure(summary, detail, written) : warning(summary, `${detail} ${hope}`, written);
}

function isCheckable(planned: ValueRecord): boolean {
  const needed = ['name', 'namespace', 'namespace_lifecycle', 'chart_path'];
  return needed.every((name) => isWhollyKnown(planned[name] ?? null));
}

/** Undefined while the provider's configuration is not known: the host may be made in this apply. */
async function knownHost({ provider }: ClusterPlanCall): Promise<Host | undefined> {
  try {
    return await provider.host();
  } catch (error) {
    if (error instanceof ProviderError) return undefined;
    throw error;
  }
}

/** Values that are not known yet cannot be checked; the rest can. */
function withKnownOptions(cluster: ClusterObject): ClusterObject {
  const known = Object.entries(cluster).map(([name, value]) => [name, isWhollyKnown(value) ? value : null]);
  return asCluster(Object.fromEntries(known) as ValueRecord);
}

/** A creation where one is running already. Terraform does not tell a creation from making a tainted object anew, so: a warning. */
async function taken(
  { prior, private: kept, signal }: ClusterPlanCall,
  host: Host,
  { namespace, name }: ClusterObject,
): Promise<readonly Diagnostic[]> {
  if (prior !== undefined || wasReady(kept) || isUnknown(name)) return [];
  // Missing rights are told already, by name.
  const found = await ifAllowed(readCluster(host, { namespace, name }, { signal }));
  if (found === undefined || !['Running', 'Degraded', 'Paused'].includes(found.phase)) return [];
  return [
    warning(
      `There is a virtual cluster ${namespace}/${name} already`,
      'Unless this very plan replaces it, the apply will be refused. To manage the one that is there: ' +
        `terraform import <address of this resource> ${namespace}/${name}`,
      ['name'],
    ),
  ];
}
