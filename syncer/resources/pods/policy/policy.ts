/**
 * The Pod Security Standards, in their newest version, applied to what would really run: the translated host pod with everything
 * that was injected (POD-161). Labels of namespaces play no part, as a tenant can change those (POD-160, POD-162).
 *
 * The tables follow the standards as Kubernetes 1.36 enforces them; test/pod-policy.kube.test.ts asks a real API server.
 */
import type { Container, Pod, PodSpec } from '../../../model/kubernetes.ts';
import type { SecurityLevel } from '../../../model/pod-rules.ts';
import { baseline } from './baseline.ts';
import type { Check } from './check.ts';
import { restricted } from './restricted.ts';
import { subjectOf } from './subject.ts';

const overridden = new Set(restricted.map(({ insteadOf }) => insteadOf));

const checksOf: Readonly<Record<SecurityLevel, readonly Check[]>> = {
  privileged: [],
  baseline,
  restricted: [...baseline.filter(({ id }) => !overridden.has(id)), ...restricted],
};

/** What of a host pod the level forbids, in words for the author of the virtual one; undefined when nothing. */
export function policyRefusal(level: SecurityLevel, name: string, { metadata, spec }: Pod): string | undefined {
  const subject = subjectOf(spec, metadata.annotations ?? {});
  const found = checksOf[level].flatMap(({ id, find }) => {
    const what = find(subject);
    return what === undefined ? [] : [`${id} (${what})`];
  });
  if (found.length === 0) return undefined;
  return `Pod ${name} is forbidden: it violates the Pod Security Standard "${level}" of this virtual cluster: ${found.join('; ')}.`;
}

/** The same for an ephemeral container that is to join a running host pod: judged with the pod around it (POD-161, ABU-23). */
export function ephemeralRefusal(
  level: SecurityLevel,
  name: string,
  { host, container }: { readonly host: Pod; readonly container: Container },
): string | undefined {
  // The pod's other containers were judged when they came; a policy that has become stricter since does not hide this one.
  const spec: PodSpec = { ...host.spec, containers: [], initContainers: [], ephemeralContainers: [container] };
  return policyRefusal(level, name, { ...host, spec });
}
