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

/** What no resource asks for: the command `pki`, Secret `vc-<name>` (syncer/bootstrap), and logs, exec and their like (syncer/gateway). */
export const standingRules: readonly Rule[] = [
  { apiGroups: [''], resources: ['services'], verbs: ['get'] },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create', 'patch'] },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  // Hosts before 1.35 ask for `get` when the upgrade is a WebSocket.
  { apiGroups: [''], resources: ['pods/attach', 'pods/exec', 'pods/portforward'], verbs: ['create', 'get'] },
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
