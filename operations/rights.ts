/**
 * Which rights on the host an installation needs, and how missing ones are told. Pure.
 *
 * Kubernetes lets nobody grant what they do not have, so who installs needs the rights of the syncer's Role as well.
 */
import syncerRules from '../chart/files/rules.json' with { type: 'json' };

/** One thing that an account may or may not do; a namespaced one when there is a namespace. */
export interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string | undefined;
}

const installed: readonly (readonly [group: string, resources: readonly string[]])[] = [
  ['', ['secrets', 'services', 'serviceaccounts', 'persistentvolumeclaims']],
  ['apps', ['statefulsets']],
  ['rbac.authorization.k8s.io', ['roles', 'rolebindings']],
];
/** Helm reads, creates, changes and removes each object of a release. */
const installVerbs = ['get', 'create', 'patch', 'delete'];

/** What creating, upgrading and deleting a release takes, without the rights it grants. */
export function rightsToInstall(namespace: string): readonly Right[] {
  const objects = installed.flatMap(([group, resources]) =>
    resources.flatMap((resource) => installVerbs.map((verb) => ({ verb, group, resource, namespace }))),
  );
  return [
    ...objects,
    // Helm keeps its releases in Secrets; the chart looks for another virtual cluster in the namespace.
    { verb: 'list', group: '', resource: 'secrets', namespace },
    { verb: 'update', group: '', resource: 'secrets', namespace },
    { verb: 'list', group: 'apps', resource: 'statefulsets', namespace },
  ];
}

/** What the Role of the syncer grants. */
export function rightsToGrant(namespace: string): readonly Right[] {
  return syncerRules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => ({ verb, group, resource, namespace }))),
    ),
  );
}

/** Each right once. */
export function distinct(rights: readonly Right[]): readonly Right[] {
  return [...new Map(rights.map((right) => [JSON.stringify(right), right])).values()];
}

const whatToDo = 'Ask an administrator of the host cluster for these rights, or use another kubeconfig.';

/** The missing ones of the wanted rights in words, a line per resource, then what to do; nothing when none is missing. */
export function missingRightsText(
  missing: readonly Right[],
  wantedCount: number,
  namespace: string,
): readonly string[] {
  if (missing.length === 0) return [];
  if (missing.length === wantedCount) {
    return [`This account has no rights in namespace "${namespace}", or the namespace does not exist. ${whatToDo}`];
  }
  const verbsOf = new Map<string, string[]>();
  for (const { resource, group, verb } of missing) {
    const name = group === '' ? resource : `${resource}.${group}`;
    verbsOf.set(name, [...(verbsOf.get(name) ?? []), verb]);
  }
  const lines = [...verbsOf].map(
    ([name, verbs]) => `This account may not ${verbs.join(', ')} ${name} in namespace "${namespace}".`,
  );
  return [...lines, whatToDo];
}
