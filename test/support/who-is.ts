import type { Cluster } from '../../syncer/model/cluster.ts';
import type { Kind } from '../../syncer/model/kind.ts';

const reviews: Kind = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
};

/** Who an API server takes the one who asks for. @throws ApiError when it lets him not in */
export async function whoIs(cluster: Cluster): Promise<string | undefined> {
  const review = await cluster.create(reviews, { metadata: { name: '' } });
  return (review as { status?: { userInfo?: { username?: string } } }).status?.userInfo?.username;
}
