/**
 * Merges the rights that resources ask for into the rules of one Role. Pure; the same rights in another order or another
 * grouping give the same rules.
 */

/** One rule of a Role. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** What the command `pki` does on the host: syncer/pki/authority.ts. */
export const pkiRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['services'], verbs: ['get'] },
  { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['get', 'create'] },
];

const synced = ['create', 'get', 'list', 'watch', 'patch', 'delete'];

/** What the resources of this version need, until the registry says so itself. */
export const interimRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['pods', 'services', 'configmaps', 'secrets'], verbs: synced },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods/exec', 'pods/attach', 'pods/portforward'], verbs: ['get', 'create'] },
  { apiGroups: [''], resources: ['events'], verbs: ['list', 'watch'] },
  { apiGroups: [''], resources: ['endpoints'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
];

/** One rule per API group and set of verbs, everything sorted. */
export function mergeRules(rules: readonly Rule[]): readonly Rule[] {
  const verbsOf = new Map<string, Set<string>>();
  for (const { apiGroups, resources, verbs } of rules) {
    for (const key of apiGroups.flatMap((group) => resources.map((resource) => `${group}/${resource}`))) {
      const known = verbsOf.get(key) ?? new Set();
      for (const verb of verbs) known.add(verb);
      verbsOf.set(key, known);
    }
  }
  const groups = new Map<string, { group: string; verbs: readonly string[]; resources: string[] }>();
  for (const [key, verbs] of [...verbsOf].toSorted(([left], [right]) => compare(left, right))) {
    // The group has no slash, a subresource has: "/pods/log", "apps/deployments".
    const slash = key.indexOf('/');
    const group = key.slice(0, slash);
    const sorted = [...verbs].toSorted(compare);
    const id = `${group} ${sorted.join()}`;
    const merged = groups.get(id) ?? { group, verbs: sorted, resources: [] };
    merged.resources.push(key.slice(slash + 1));
    groups.set(id, merged);
  }
  return [...groups.values()].map(({ group, resources, verbs }) => ({ apiGroups: [group], resources, verbs }));
}

/** By code unit: the same everywhere, whatever the locale. */
function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
