/**
 * What there is on the host of one virtual cluster: every namespaced kind that the host serves is looked through, so that a kind
 * that nobody thought of is found too. Reads metadata only; what the account may not list is left out.
 */
import { HostError, HostNotFoundError, ifAllowed } from './host-errors.ts';
import { kinds } from './host.ts';
import type { Host, HostKind } from './host.ts';
import { kubeconfigSecretName, managedByLabel } from './snapshot.ts';
import type { ClusterRef, HostObject } from './types.ts';

export interface Found {
  readonly kind: HostKind;
  readonly object: HostObject;
}

interface Served {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources: readonly {
        readonly resource: string;
        readonly scope: string;
        readonly verbs: readonly string[];
      }[];
    }[];
  }[];
}

/** They go by themselves, and are many. */
const ignored = new Set(['events', 'events.events.k8s.io']);
const atOnceMax = 8;

/** Everything of a virtual cluster in its namespace, or only what is of some `kinds`. @throws HostError */
export async function inventory(
  host: Host,
  ref: ClusterRef,
  signal?: AbortSignal,
  some?: readonly HostKind[],
): Promise<readonly Found[]> {
  const service = await ifAllowed(host.tryGet(kinds.services, ref, { signal }));
  const others = service === undefined || isOf(service, ref.name) ? undefined : service.metadata.uid;
  const all = some ?? (await namespacedKinds(host, signal));
  const found: Found[] = [];
  for (let start = 0; start < all.length; start += atOnceMax) {
    const batch = all.slice(start, start + atOnceMax);
    const objects = await Promise.all(batch.map((kind) => ofKind(host, ref, kind, signal)));
    found.push(...objects.flat().filter(({ object }) => isOf(object, ref.name, others)));
  }
  return found;
}

async function ofKind(
  host: Host,
  ref: ClusterRef,
  kind: HostKind,
  signal: AbortSignal | undefined,
): Promise<readonly Found[]> {
  const objects = await ifAllowed(listed(host, ref, kind, signal));
  return (objects ?? []).map((object) => ({ kind, object }));
}

/** A kind whose definition goes right now, or whose server is away, has nothing of ours that we could see. */
async function listed(
  host: Host,
  ref: ClusterRef,
  kind: HostKind,
  signal: AbortSignal | undefined,
): Promise<readonly HostObject[]> {
  try {
    return await host.list(kind, ref.namespace, { signal, metadataOnly: true });
  } catch (error) {
    const unserved =
      error instanceof HostNotFoundError || (error instanceof HostError && [405, 406, 503].includes(error.status));
    if (unserved && !isCore(kind)) return [];
    throw error;
  }
}

function isCore({ group }: HostKind): boolean {
  return group === '' || group === 'apps';
}

/**
 * Whether an object is a virtual cluster's: by its labels, or because it goes with something of it. `others`: UID of a Service that
 * has its name and is somebody else's. Pure.
 */
function isOf({ metadata }: HostObject, name: string, others?: string): boolean {
  const { labels = {}, ownerReferences = [] } = metadata;
  const isRelease = labels['app'] === 'vcluster' && labels['release'] === name;
  const isHelms = labels['owner'] === 'helm' && labels['name'] === name;
  const isOwned = ownerReferences.some(
    ({ kind, name: owner, uid }) => kind === 'Service' && owner === name && uid !== others,
  );
  return (
    isRelease || isHelms || isOwned || labels[managedByLabel] === name || metadata.name === kubeconfigSecretName(name)
  );
}

/** Every kind that can be listed and has namespaces, by the host's own word. */
async function namespacedKinds(host: Host, signal: AbortSignal | undefined): Promise<readonly HostKind[]> {
  const [core, others] = await Promise.all([served(host, '/api', signal), served(host, '/apis', signal)]);
  return [...core.items, ...others.items].flatMap(({ metadata, versions }) => {
    const group = metadata.name ?? '';
    // The first is the one that the host prefers.
    const [preferred] = versions;
    return (preferred?.resources ?? [])
      .filter(({ scope, verbs }) => scope === 'Namespaced' && verbs.includes('list'))
      .map(({ resource }) => ({ group, version: preferred?.version ?? '', plural: resource }))
      .filter((kind) => !ignored.has(group === '' ? kind.plural : `${kind.plural}.${group}`));
  });
}

async function served(host: Host, path: string, signal: AbortSignal | undefined): Promise<Served> {
  const accept = ['v2', 'v2beta1'].map(
    (version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
  );
  return (await host.request('GET', path, undefined, { signal, accept: accept.join(',') })) as Served;
}

/** `persistentvolumeclaims/data-team-a-0` */
export function nameOf({ kind, object }: Found): string {
  const { group, plural } = kind;
  return `${plural}${group === '' ? '' : `.${group}`}/${object.metadata.name}`;
}

/** Volumes that claims of the namespace were bound to; none when the account may not see them. */
export async function volumesOf(host: Host, namespace: string, signal?: AbortSignal): Promise<readonly HostObject[]> {
  const volumes = await ifAllowed(host.list(kinds.persistentVolumes, undefined, { signal }));
  return (volumes ?? []).filter(
    ({ spec }) => (spec?.['claimRef'] as { namespace?: string } | undefined)?.namespace === namespace,
  );
}
