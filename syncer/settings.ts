/** The flags of `syncer run`. Nothing secret is among them: they stand in the pod's spec. */
import { parseArgs } from 'node:util';
import { ConfigurationError } from './model/errors.ts';
import type { PodRules } from './model/pod-rules.ts';
import { parsePodRules } from './pod-rules.ts';

export interface Settings {
  readonly name: string;
  readonly namespace: string;
  readonly pki: string;
  readonly domain: string;
  readonly egressSocket: string;
  readonly coreDnsImage: string;
  readonly kubernetesVersion: string;
  readonly workloadServiceAccount: string;
  readonly podRules: PodRules;
  readonly logLevel: string;
  readonly healthPort: number;
  /** For use outside of a pod. */
  readonly hostKubeconfig: string | undefined;
}

const text = { type: 'string' } as const;

/** @throws ConfigurationError naming what is missing */
export function parseSettings(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      name: text,
      namespace: text,
      pki: text,
      domain: { ...text, default: 'cluster.local' },
      'egress-socket': { ...text, default: '/run/vcluster/egress.sock' },
      'coredns-image': text,
      'kubernetes-version': text,
      'workload-service-account': text,
      image: { ...text, default: '' },
      'image-pull-policy': { ...text, default: 'IfNotPresent' },
      'workload-pull-secrets': { ...text, default: '' },
      values: { ...text, default: '{}' },
      'log-level': { ...text, default: 'info' },
      'health-port': { ...text, default: '8080' },
      'host-kubeconfig': text,
    },
  });
  const required = (flag: keyof typeof values): string => {
    const value = values[flag];
    if (value === undefined || value === '') throw new ConfigurationError(`run needs --${flag}.`);
    return value;
  };
  return {
    name: required('name'),
    namespace: required('namespace'),
    pki: required('pki'),
    domain: values.domain,
    egressSocket: values['egress-socket'],
    coreDnsImage: required('coredns-image'),
    kubernetesVersion: required('kubernetes-version'),
    workloadServiceAccount: required('workload-service-account'),
    podRules: parsePodRules(values.values, {
      image: values.image,
      pullPolicy: values['image-pull-policy'],
      pullSecrets: values['workload-pull-secrets'].split(',').filter((name) => name !== ''),
    }),
    logLevel: values['log-level'],
    healthPort: Number(values['health-port']),
    hostKubeconfig: values['host-kubeconfig'],
  };
}
