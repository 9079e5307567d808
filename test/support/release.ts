/** The virtual cluster of pure tests; the golden vectors of spec §15 are computed for it. */
import type { PodRules } from '../../syncer/model/pod-rules.ts';
import type { Release } from '../../syncer/model/view.ts';

/** Nothing is enforced and nothing is denied, so that tests of one rule see that rule only. */
export const unrestricted: PodRules = {
  security: 'privileged',
  hostsWriter: undefined,
  nodeSelector: {},
  tolerations: [],
  deniedTolerations: [],
  schedulerNames: ['*'],
  priorityClasses: [],
  runtimeClasses: ['*'],
  inlineCsiDrivers: ['*'],
  defaultPriorityClass: '',
  runtimeClass: '',
  images: {},
};

export const release: Release = {
  name: 'vc1',
  namespace: 'tenant-a',
  service: { uid: 'service-uid', clusterIPs: ['10.96.7.7'] },
  storeEpoch: 0,
  clusterDomain: 'cluster.local',
  workloadServiceAccount: 'vc-workload-vc1',
  kubernetesVersion: '1.36.3',
  architecture: 'amd64',
  hostMinor: 36,
  podRules: unrestricted,
};
