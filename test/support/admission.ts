/**
 * A rule of an API server holds a moment after it is there: admission and authorizers hear of quotas, labels and roles by watching.
 * So tests wait for its effect, not for its object.
 */
import type { Cluster } from '../../syncer/model/cluster.ts';
import { isStatus } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { pods } from '../../syncer/model/kubernetes.ts';
import type { PodSpec } from '../../syncer/model/kubernetes.ts';
import { until } from './eventually.ts';

const accessReviews: Kind = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  namespaced: false,
};

/** What somebody would do, in the words of the authorizer. */
export interface Attempt {
  readonly namespace: string;
  readonly verb: string;
  readonly resource: string;
  readonly subresource?: string;
}

/** Waits until a pod is refused with these words. The pod that asks names a node that does not exist, so nobody runs or syncs it. */
export async function untilRefused(
  cluster: Cluster,
  namespace: string,
  words: string,
  spec: Partial<PodSpec> = {},
): Promise<void> {
  const containers = [{ name: 'app', image: 'app:1' }];
  const probe = { metadata: { name: 'probe', namespace }, spec: { containers, nodeName: 'none', ...spec } };
  await until(`pods in ${namespace} to be refused: ${words}`, async () => {
    try {
      const { metadata } = await cluster.create(pods, probe);
      await cluster.remove(pods, { namespace, name: 'probe' }, { uid: metadata.uid ?? '', graceSeconds: 0 });
      return false;
    } catch (error) {
      return isStatus(error, 403) && String(error).includes(words);
    }
  });
}

/** Waits until a user may not do something any more. */
export async function untilForbidden(cluster: Cluster, user: string, attempt: Attempt): Promise<void> {
  await until(`${user} to have no right to ${attempt.verb} ${attempt.resource}`, async () => {
    const review = { metadata: { name: '' }, spec: { user, resourceAttributes: attempt } };
    const answer = await cluster.create(accessReviews, review);
    return (answer as { status?: { allowed?: boolean } }).status?.allowed === false;
  });
}
