/** Puts objects of ours into the virtual cluster: created when missing, brought up to date when we changed them, otherwise left alone. */
import { createHash } from 'node:crypto';
import type { Cluster } from '../model/cluster.ts';
import { isStatus } from '../model/errors.ts';
import type { Kind } from '../model/kind.ts';
import { keyOf } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';

export interface Manifest {
  readonly kind: Kind;
  readonly object: KubeObject;
}

/** Which version of ours an object was last written from; a tenant's later edits stay until ours changes. */
const writtenFrom = 'vcluster.loft.sh/applied-hash';

export async function apply(cluster: Cluster, manifests: readonly Manifest[]): Promise<void> {
  for (const { kind, object } of manifests) await applyOne(cluster, kind, object);
}

async function applyOne(cluster: Cluster, kind: Kind, object: KubeObject): Promise<void> {
  const hash = createHash('sha256').update(JSON.stringify(object)).digest('hex').slice(0, 16);
  const annotations = { ...object.metadata.annotations, [writtenFrom]: hash };
  const marked = { ...object, metadata: { ...object.metadata, annotations } };
  const present = await cluster.get(kind, keyOf(object));
  if (present?.metadata.annotations?.[writtenFrom] === hash) return;
  if (present !== undefined) {
    await cluster.patch(kind, keyOf(object), marked);
    return;
  }
  try {
    await cluster.create(kind, marked);
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
  }
}
