/** Virtual namespaces for tests: new ones, and the one that is there from the start. */
import type { Cluster } from '../../syncer/model/cluster.ts';
import { namespaces, pods, serviceAccounts } from '../../syncer/model/kubernetes.ts';
import type { Pod } from '../../syncer/model/kubernetes.ts';
import type { Metadata } from '../../syncer/model/object.ts';
import { eventually, until } from './eventually.ts';

export interface NamespaceOptions {
  readonly metadata?: Partial<Metadata>;
  /** How long its service account may take. */
  readonly waitMs?: number;
}

/** A new virtual namespace in which pods are accepted: they are not before its service account is there. */
export async function makeNamespace(
  { virtual }: { readonly virtual: Cluster },
  name: string,
  { metadata, waitMs }: NamespaceOptions = {},
): Promise<void> {
  await virtual.create(namespaces, { metadata: { name, ...metadata } });
  await eventually(
    `the service account of ${name}`,
    () => virtual.get(serviceAccounts, { namespace: name, name: 'default' }),
    waitMs,
  );
}

/** Waits until what every virtual cluster has runs: the syncer is ready as soon as it has asked for it, and writes once more when it comes. */
export async function clusterDnsRuns({ virtual }: { readonly virtual: Cluster }): Promise<void> {
  await until(
    'the cluster DNS to run',
    async () => {
      const { items } = await virtual.list(pods, { namespace: 'kube-system' }, AbortSignal.timeout(20_000));
      return items.length > 0 && (items as readonly Pod[]).every(({ status }) => status?.phase === 'Running');
    },
    90_000,
  );
}
