/** One sample for each resource of the registry, or the reason why there is none. A new resource without either fails. */
import { configmaps } from './configmaps.ts';
import { pods } from './pods.ts';
import type { Sample, Skipped } from './sample.ts';
import { secrets } from './secrets.ts';
import { services } from './services.ts';

export const samples: Readonly<Record<string, Sample | Skipped>> = {
  pods,
  services,
  configmaps,
  secrets,
  nodes: { why: 'made from what pods show, by nobody else: tried with the nodes below' },
  'kubernetes-service': { why: 'one object that the API server makes: tried in services.kube.test.ts' },
  tokens: { why: 'one Secret for each pod, made by nobody else: tried in resilience.kube.test.ts' },
  events: { why: 'made by the host: tried with the events below' },
};
