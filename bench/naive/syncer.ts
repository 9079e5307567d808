/**
 * The naive baseline: the shortest honest syncer of pods. It watches both sides, and on every event it does what comes to mind:
 * translate (with the same toHost as the real one, so that the pods are the same), write, and look the other side up by a GET.
 * No cache of the other side, no queue, no comparison before a write, no tricks. It shows what those are worth. It knows pods,
 * their tokens, nodes and deletions; nothing else, and no recovery from errors.
 */
import { kubeconfigAccess } from '../../syncer/cluster/access.ts';
import { Client } from '../../syncer/cluster/client.ts';
import { isStatus } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { namespaces, nodes, pods, secrets, serviceAccounts, services } from '../../syncer/model/kubernetes.ts';
import type { Pod, Service } from '../../syncer/model/kubernetes.ts';
import { isDeleting, keyOf } from '../../syncer/model/object.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { keyText } from '../../syncer/model/side.ts';
import type { Key, Side } from '../../syncer/model/side.ts';
import type { Reader, Release, View } from '../../syncer/model/view.ts';
import { pods as translation } from '../../syncer/resources/pods/pods.ts';
import { tokenSecretName, tokenSources } from '../../syncer/resources/pods/tokens.ts';
import { parseSettings } from '../../syncer/settings.ts';
import { originOf } from '../../syncer/translate/metadata.ts';
import { hostName } from '../../syncer/translate/names.ts';

const env = (name: string): string => process.env[name] ?? '';
const host = new Client('host', kubeconfigAccess(env('BENCH_HOST_KUBECONFIG')));
const virtual = new Client('virtual', kubeconfigAccess(env('BENCH_VIRTUAL_KUBECONFIG')));
const { signal } = new AbortController();
const madeNodes = new Set<string>();

const namespace = env('BENCH_NAMESPACE');
const service = (await host.get(services, { namespace, name: env('BENCH_NAME') })) as Service;
/** With the real syncer's defaults for everything that is not asked for here. */
const settings = parseSettings([
  `--name=${env('BENCH_NAME')}`,
  `--namespace=${namespace}`,
  `--kubernetes-version=${env('BENCH_KUBERNETES_VERSION')}`,
  `--workload-service-account=${env('BENCH_WORKLOAD_SERVICE_ACCOUNT')}`,
  '--pki=unused',
  '--coredns-image=unused',
]);
const release: Release = {
  name: settings.name,
  namespace,
  service: { uid: service.metadata.uid ?? '', clusterIPs: service.spec.clusterIPs ?? [] },
  clusterDomain: settings.domain,
  workloadServiceAccount: settings.workloadServiceAccount,
  kubernetesVersion: settings.kubernetesVersion,
  architecture: 'amd64',
  storeEpoch: 0,
  hostMinor: Number.MAX_SAFE_INTEGER,
  podRules: settings.podRules,
};

/** What toHost reads: the pod's namespace, fetched beforehand, and the DNS service, taken to be there. */
function viewWith(of: KubeObject): View {
  const dns = { metadata: { name: 'dns' }, spec: { clusterIP: '10.96.0.10' } };
  const read = (side: Side, kind: Kind): KubeObject | undefined => {
    if (kind.plural === namespaces.plural) return of;
    return side === 'host' && kind.plural === services.plural ? dns : undefined;
  };
  const reader = (side: Side): unknown => ({
    get: (kind: Kind) => read(side, kind),
    peek: (kind: Kind) => read(side, kind),
    list: () => [],
    indexed: () => [],
    findIndexed: () => undefined,
  });
  return {
    release,
    nowMs: Date.now(),
    virtual: reader('virtual') as Reader<'virtual'>,
    host: reader('host') as Reader<'host'>,
  };
}

async function onVirtual(pod: Pod, gone: boolean): Promise<void> {
  const key = hostKey(pod);
  const present = await host.get(pods, key);
  if (gone || isDeleting(pod)) {
    if (present !== undefined) await removeHost(key, present);
    // Nobody on the host would tell us of its end.
    else if (!gone) await removeVirtual(pod);
  } else if (present === undefined) await push(pod);
}

async function push(pod: Pod): Promise<void> {
  const of = await virtual.get(namespaces, { namespace: '', name: pod.metadata.namespace ?? '' });
  if (of === undefined) return;
  const translated = translation.toHost(pod, viewWith(of));
  if (translated.is !== 'object') throw new Error(`Pod ${keyText(keyOf(pod))}: ${translated.why}`);
  const made = await host.create(pods, translated.object).catch(unless(409));
  if (made !== undefined) await writeTokens(pod, made);
}

async function writeTokens(pod: Pod, owner: KubeObject): Promise<void> {
  const { name, namespace: of = '', uid = '' } = pod.metadata;
  const sources = tokenSources(pod);
  if (sources.length === 0) return;
  const data: Record<string, string> = {};
  for (const { dataKey, expirationSeconds } of sources) {
    const account = { namespace: of, name: pod.spec.serviceAccountName ?? 'default' };
    const answer = (await virtual.post(serviceAccounts, account, 'token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [], expirationSeconds, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
    })) as { readonly status: { readonly token: string } };
    data[dataKey] = Buffer.from(answer.status.token).toString('base64');
  }
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: owner.metadata.name, uid: owner.metadata.uid ?? '' }];
  const metadata = { name: tokenSecretName(pod), namespace, ownerReferences };
  await host.create(secrets, { metadata, data } as KubeObject).catch(unless(409));
}

async function onHost(pod: Pod, gone: boolean): Promise<void> {
  const origin = originOf(pod, pods, release);
  if (origin === undefined) return;
  const found = (await virtual.get(pods, origin)) as Pod | undefined;
  if (found === undefined) return;
  if (gone) return removeVirtual(found);
  const { nodeName } = pod.spec;
  if (nodeName !== undefined && found.spec.nodeName === undefined) await bind(origin, found, nodeName);
  if (pod.status === undefined) return;
  await virtual.patch(pods, origin, { status: pod.status }, 'status').catch(unless(404, 409));
}

async function bind(origin: Key<'virtual'>, pod: Pod, nodeName: string): Promise<void> {
  if (!madeNodes.has(nodeName)) {
    await virtual.create(nodes, { metadata: { name: nodeName } }).catch(unless(409));
    madeNodes.add(nodeName);
  }
  const target = { apiVersion: 'v1', kind: 'Node', name: nodeName };
  const metadata = { name: pod.metadata.name, uid: pod.metadata.uid };
  await virtual
    .post(pods, origin, 'binding', { apiVersion: 'v1', kind: 'Binding', metadata, target })
    .catch(unless(404, 409));
}

async function removeHost(key: Key<'host'>, object: KubeObject): Promise<void> {
  if (isDeleting(object)) return;
  const { metadata } = object;
  await host.remove(pods, key, { uid: metadata.uid ?? '' }).catch(unless(409));
}

async function removeVirtual({ metadata: { name, namespace: of = '', uid = '' } }: Pod): Promise<void> {
  await virtual.remove(pods, { namespace: of, name }, { uid, graceSeconds: 0 }).catch(unless(409));
}

function hostKey({ metadata: { name, namespace: of = '' } }: Pod): Key<'host'> {
  return { namespace, name: hostName(name, of, release) };
}

function unless(...statuses: number[]): (error: unknown) => undefined {
  return (error) => {
    if (isStatus(error, ...statuses)) return undefined;
    throw error;
  };
}

/** Events of one pod one after the other, as they came; of different pods all at once. */
async function follow(
  client: Client,
  scope: string,
  handle: (pod: Pod, gone: boolean) => Promise<void>,
): Promise<void> {
  const tails = new Map<string, Promise<unknown>>();
  const take = (pod: Pod, gone: boolean): void => {
    const id = keyText(keyOf(pod));
    const tail: Promise<unknown> = (tails.get(id) ?? Promise.resolve())
      .then(() => handle(pod, gone))
      .catch((error: unknown) => process.stderr.write(`${id}: ${String(error)}\n`));
    tails.set(id, tail);
    void tail.finally(() => {
      if (tails.get(id) === tail) tails.delete(id);
    });
  };
  const { items, resourceVersion } = await client.list(pods, { namespace: scope }, signal);
  for (const pod of items) take(pod as Pod, false);
  for (let version = resourceVersion; ;) {
    for await (const event of client.watch(pods, { namespace: scope }, version, signal)) {
      version = event.type === 'BOOKMARK' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? version);
      if (event.type !== 'BOOKMARK') take(event.object as Pod, event.type === 'DELETED');
    }
  }
}

process.once('SIGTERM', () => process.exit(0));
await Promise.all([follow(virtual, '', onVirtual), follow(host, namespace, onHost)]);
