/**
 * The last steps before a host pod is created, which none that exists goes through: what the host does not know is left out, the
 * hosts file is arranged for, and then the policy judges the whole of it, as it would run (POD-05, POD-161).
 */
import type { Pod } from '../../model/kubernetes.ts';
import type { Translated } from '../../model/resource.ts';
import type { Host, Virtual } from '../../model/side.ts';
import type { Release } from '../../model/view.ts';
import { knownToHost } from './host-fields.ts';
import { getsHostsFile, hostsRewritten, withHostsFile } from './hosts.ts';
import { policyRefusal } from './policy/policy.ts';
import { ruleWarnings } from './rules.ts';

/** The host pod in the form in which it is created, with what its author should know about it; or why it may not be. */
export function asCreated(virtual: Virtual<Pod>, translated: Host<Pod>, release: Release): Translated<Pod> {
  const { spec, leftOut } = knownToHost(translated.spec, release.hostMinor);
  const known = { ...translated, spec };
  const object = getsHostsFile(virtual, release) ? withOwnHosts(virtual, known, release) : known;
  const why = policyRefusal(release.podRules.security, virtual.metadata.name, object);
  if (why !== undefined) return { is: 'refused', why };
  const warnings = [...leftOut, ...ruleWarnings(virtual.spec, release.podRules), ...hostNameWarnings(virtual)];
  return { is: 'object', object, ...(warnings.length > 0 && { warnings }) };
}

function withOwnHosts(virtual: Virtual<Pod>, host: Host<Pod>, release: Release): Host<Pod> {
  const { metadata } = host;
  return {
    ...host,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [hostsRewritten]: 'true' } },
    spec: withHostsFile(host.spec, virtual, release),
  };
}

/** The full name that the kernel would be given is a name of the host's (POD-132). */
function hostNameWarnings({ spec }: Virtual<Pod>): readonly string[] {
  const { subdomain = '', setHostnameAsFQDN } = spec;
  if (setHostnameAsFQDN !== true || subdomain === '') return [];
  return [
    'spec.setHostnameAsFQDN has no effect in this virtual cluster: `hostname` prints the short name, `hostname -f` the full one.',
  ];
}
