import { describe, expect, test } from 'vitest';
import type { Container, Pod, PodSpec } from '../../model/kubernetes.ts';
import type { PodRules } from '../../model/pod-rules.ts';
import { podOf, usual, viewOf } from './fixtures.ts';
import { hostsRewritten, hostsWriterName } from './hosts.ts';
import { merge } from './merge.ts';
import { pods } from './pods.ts';

const hostsWriter: PodRules['hostsWriter'] = {
  image: 'registry.example/syncer:1',
  pullPolicy: 'IfNotPresent',
  pullSecrets: ['registry-of-the-host'],
  resources: { requests: { cpu: '10m', memory: '48Mi' }, limits: { cpu: '200m', memory: '64Mi' } },
};
const view = viewOf({ ...usual, rules: { hostsWriter } });
const subdomain: Partial<PodSpec> = { hostname: 'web-0', subdomain: 'web' };

function hostOf(virtual: Pod, on = view): Pod {
  const translated = pods.toHost(virtual, on);
  if (translated.is !== 'object') throw new Error(translated.why);
  return translated.object;
}

function writerOf({ spec }: Pod): Container | undefined {
  return spec.initContainers?.find(({ name }) => name === hostsWriterName);
}

describe('hosts file of a pod with a subdomain', () => {
  const mount = { name: hostsWriterName, mountPath: '/etc/hosts', subPath: 'hosts' };
  const host = hostOf(
    podOf({
      ...subdomain,
      initContainers: [{ name: 'migrate', restartPolicy: 'Always' }],
      containers: [{ name: 'app', volumeMounts: [{ name: 'data', mountPath: '/data' }] }, { name: 'side' }],
    }),
  );

  test('[VEC-24] an init container writes it before all others, which mount it [POD-129]', () => {
    expect(host.spec.initContainers?.map(({ name }) => name)).toEqual([hostsWriterName, 'migrate']);
    expect(host.spec.initContainers?.[1]).toMatchObject({ volumeMounts: [mount] });
    expect(host.spec.containers).toMatchObject([
      { volumeMounts: [{ name: 'data', mountPath: '/data' }, mount] },
      { volumeMounts: [mount] },
    ]);
  });

  test('can be pulled, although a pod with pull secrets of its own gets none from its account [POD-58]', () => {
    const own = hostOf(podOf({ ...subdomain, imagePullSecrets: [{ name: 'mine' }] }));
    expect(own.spec.imagePullSecrets).toEqual([{ name: 'mine-x-shop-x-vc1' }, { name: 'registry-of-the-host' }]);
    expect(host.spec.imagePullSecrets ?? []).toEqual([]);
  });

  test('[VEC-23] its volume is empty and the pod’s own', () => {
    expect(host.spec.volumes).toEqual([{ name: hostsWriterName, emptyDir: {} }]);
  });

  test('names of the virtual cluster, never of the host [POD-128]', () => {
    expect(writerOf(host)).toMatchObject({
      image: 'registry.example/syncer:1',
      args: [
        'hosts',
        '--addresses=$(POD_IPS)',
        '--hostname=web-0',
        '--fqdn=web-0.web.shop.svc.cluster.local',
        '--out=/vcluster-hosts/hosts',
      ],
      env: [{ name: 'POD_IPS', valueFrom: { fieldRef: { fieldPath: 'status.podIPs' } } }],
    });
    expect(host.spec).not.toHaveProperty('subdomain');
  });

  test('has no privilege [POD-129]', () => {
    expect(writerOf(host)?.['securityContext']).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  test('is noted on the host pod, and the note stays', () => {
    expect(host.metadata.annotations).toMatchObject({ [hostsRewritten]: 'true' });
    const later = merge(host, hostOf(podOf(subdomain), viewOf({ ...usual, host: [...usual.host, host] })));
    expect(later.metadata.annotations).toMatchObject({ [hostsRewritten]: 'true' });
  });

  test('a pod that is there is never changed for it, nor after an upgrade of the image', () => {
    const without = hostOf(podOf(subdomain), viewOf(usual));
    const there = viewOf({ ...usual, host: [...usual.host, without], rules: { hostsWriter } });
    expect(merge(without, hostOf(podOf(subdomain), there)).spec).toEqual(without.spec);
    const upgraded = viewOf({
      ...usual,
      host: [...usual.host, host],
      rules: { hostsWriter: { ...hostsWriter, image: 'registry.example/syncer:2' } },
    });
    expect(writerOf(merge(host, hostOf(podOf(subdomain), upgraded)))).toEqual(writerOf(host));
  });
});

describe('resources of the init container [POD-129, POD-131]', () => {
  const sized = (requests: object | undefined, limits: object | undefined): Partial<PodSpec> => ({
    ...subdomain,
    containers: [{ name: 'app', resources: { ...(requests && { requests }), ...(limits && { limits }) } }],
  });
  const small = { cpu: '10m', memory: '48Mi' };
  const large = { cpu: '200m', memory: '64Mi' };
  test.each<[string, Partial<PodSpec>, unknown]>([
    ['as configured', subdomain, { requests: small, limits: large }],
    ['as configured for a Burstable pod', sized({ cpu: '1' }, undefined), { requests: small, limits: large }],
    [
      'equal in a Guaranteed pod',
      sized({ cpu: '1000m', memory: '1Gi' }, { cpu: '1', memory: '1Gi' }),
      { requests: large, limits: large },
    ],
    [
      'equal where requests follow limits',
      sized(undefined, { cpu: '1', memory: '1Gi' }),
      { requests: large, limits: large },
    ],
    ['none where the pod has them', { ...subdomain, resources: { limits: { cpu: '1' } } }, undefined],
  ])('%s', (_, spec, expected) => {
    expect(writerOf(hostOf(podOf(spec)))?.['resources']).toEqual(expected);
  });
});

describe('no hosts file [POD-130, POD-131]', () => {
  const mounting = (mountPath: string): Partial<PodSpec> => ({
    ...subdomain,
    initContainers: [{ name: 'init', volumeMounts: [{ name: 'own', mountPath }] }],
  });
  test.each<[string, Partial<PodSpec>, Record<string, string>?]>([
    ['without a subdomain', { hostname: 'web-0' }],
    ['on the network of the node', { ...subdomain, hostNetwork: true }],
    ['on Windows', { ...subdomain, os: { name: 'windows' } }],
    ['on Windows nodes', { ...subdomain, nodeSelector: { 'kubernetes.io/os': 'windows' } }],
    ['with another host name', { ...subdomain, hostnameOverride: 'other' }],
    ['where a container mounts its own', mounting('/etc/hosts')],
    ['where a container mounts its own by a detour', mounting('//etc/./x/../hosts')],
    ['where the name is taken by a container', { ...subdomain, containers: [{ name: hostsWriterName }] }],
    ['where the name is taken by a volume', { ...subdomain, volumes: [{ name: hostsWriterName, emptyDir: {} }] }],
    ['where the pod does not want it', subdomain, { 'vcluster.loft.sh/disable-subdomain-rewrite': 'true' }],
  ])('%s', (_, spec, annotations = {}) => {
    const host = hostOf(podOf(spec, { annotations }));
    expect(host.spec.initContainers?.some(({ name, image }) => name === hostsWriterName && image)).not.toBe(true);
    expect(host.metadata.annotations).not.toHaveProperty([hostsRewritten]);
  });

  test('where it is turned off', () => {
    expect(writerOf(hostOf(podOf(subdomain), viewOf(usual)))).toBeUndefined();
  });

  test('any other value of the annotation is no wish', () => {
    const annotations = { 'vcluster.loft.sh/disable-subdomain-rewrite': 'false' };
    expect(writerOf(hostOf(podOf(subdomain, { annotations })))).toBeDefined();
  });
});
