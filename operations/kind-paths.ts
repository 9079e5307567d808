/** Which path of the host's API a kind of a manifest has. What the chart makes is known; anything else is asked for. */
import { HostNotFoundError } from './host-errors.ts';
import { kinds } from './host.ts';
import type { Host, HostKind, RequestOptions } from './host.ts';

const rbac = (plural: string): HostKind => ({ group: 'rbac.authorization.k8s.io', version: 'v1', plural });

const known: Readonly<Record<string, HostKind>> = {
  'v1 ServiceAccount': kinds.serviceAccounts,
  'v1 Service': kinds.services,
  'v1 Secret': kinds.secrets,
  'v1 ConfigMap': kinds.configMaps,
  'v1 PersistentVolumeClaim': kinds.persistentVolumeClaims,
  'apps/v1 StatefulSet': kinds.statefulSets,
  'rbac.authorization.k8s.io/v1 Role': rbac('roles'),
  'rbac.authorization.k8s.io/v1 RoleBinding': rbac('rolebindings'),
};

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string }[];
}

/** Undefined when the host does not serve the kind (any more). @throws HostError */
export async function kindOf(
  host: Host,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  options: RequestOptions = {},
): Promise<HostKind | undefined> {
  const found = known[`${apiVersion} ${kind}`];
  if (found !== undefined) return found;
  const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['', apiVersion];
  const path = `${group === '' ? '/api' : '/apis'}/${apiVersion}`;
  const list = await servedAt(host, path, options);
  const resource = list?.resources.find(({ name, kind: its }) => its === kind && !name.includes('/'));
  return resource && { group, version, plural: resource.name };
}

async function servedAt(host: Host, path: string, options: RequestOptions): Promise<ResourceList | undefined> {
  try {
    return (await host.request('GET', path, undefined, options)) as ResourceList;
  } catch (error) {
    if (error instanceof HostNotFoundError) return undefined;
    throw error;
  }
}
