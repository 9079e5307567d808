/** The virtual cluster of pure tests; the golden vectors of spec §15 are computed for it. */
import type { Release } from '../../syncer/model/view.ts';

export const release: Release = {
  name: 'vc1',
  namespace: 'tenant-a',
  service: { uid: 'service-uid', clusterIPs: ['10.96.7.7'] },
  clusterDomain: 'cluster.local',
  workloadServiceAccount: 'vc-workload-vc1',
  kubernetesVersion: '1.36.3',
  architecture: 'amd64',
};
