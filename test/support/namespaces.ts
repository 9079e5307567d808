/** Virtual namespaces for tests. */
import type { Cluster } from '../../syncer/model/cluster.ts';
import { namespaces, serviceAccounts } from '../../syncer/model/kubernetes.ts';
import type { Metadata } from '../../syncer/model/object.ts';
import { eventually } from './eventually.ts';

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
