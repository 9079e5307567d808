/**
 * Every file that the control plane reads, issued anew at each start, and how they are written.
 *
 * A folder per container, each mounted alone: no component sees the keys of another. Leaf certificates last as long as
 * their authority, because they are renewed by a restart only; they live in the pod's memory and die with it.
 */
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SecurityLevel } from '../model/pod-rules.ts';
import { admissionConfiguration } from './admission.ts';
import { issue } from './certificates.ts';
import type { CertificateRequest, CertifiedKey } from './certificates.ts';
import type { AuthorityName, Release, Trust } from './authority.ts';
import { kubeconfig } from './kubeconfig.ts';

const apiServer = 'https://127.0.0.1:6443';

export interface ControlPlane extends Release {
  /** DNS domain inside the virtual cluster. */
  readonly domain: string;
  /** Of Service `<name>`. */
  readonly clusterIPs: readonly string[];
  /** Unix socket on which the syncer accepts what the API server dials. */
  readonly egressSocket: string;
  /** Of namespaces without a label of their own; `privileged`, when absent. */
  readonly podSecurity?: SecurityLevel;
}

/** The names under which the API server is reached, from inside and from the host. */
export function apiServerNames({ name, namespace, domain }: ControlPlane): readonly string[] {
  const qualified = (service: string, of: string): readonly string[] => [
    service,
    `${service}.${of}`,
    `${service}.${of}.svc`,
    `${service}.${of}.svc.${domain}`,
  ];
  return [
    'localhost',
    ...qualified('kubernetes', 'default'),
    ...qualified(name, namespace),
    ...qualified(`${name}-headless`, namespace),
  ];
}

/** Path below the output folder → content. */
export async function controlPlaneFiles(
  trust: Trust,
  plane: ControlPlane,
  now: Date,
): Promise<ReadonlyMap<string, string>> {
  const { ca, 'etcd-ca': etcdCa, 'front-proxy-ca': frontProxyCa, 'kubelet-ca': kubeletCa } = trust.authorities;
  const { key: signingKey, publicKey } = trust.serviceAccounts;
  const leaves = await issueLeaves(trust, plane, now);
  const files = new Map<string, string>([
    ['etcd/ca.crt', etcdCa.certificate],
    ...pair('etcd/server', leaves.etcdServer),
    ...pair('apiserver/serving', leaves.serving),
    ['apiserver/client-ca.crt', ca.certificate],
    ['apiserver/etcd-ca.crt', etcdCa.certificate],
    ...pair('apiserver/etcd-client', leaves.etcdClient),
    ['apiserver/sa.pub', publicKey],
    ['apiserver/sa.key', signingKey],
    ...pair('apiserver/kubelet-client', leaves.kubeletClient),
    ['apiserver/front-proxy-ca.crt', frontProxyCa.certificate],
    ...pair('apiserver/front-proxy-client', leaves.frontProxyClient),
    ['apiserver/egress.yaml', egressSelector(plane.egressSocket)],
    ['apiserver/admission.yaml', admissionConfiguration(plane.podSecurity ?? 'privileged')],
    ['controller-manager/kubeconfig', localKubeconfig(ca, 'system:kube-controller-manager', leaves.controllerManager)],
    ...pair('controller-manager/ca', ca),
    ['controller-manager/sa.key', signingKey],
    ['syncer/kubeconfig', localKubeconfig(ca, 'vcluster-syncer', leaves.syncer)],
    ...pair('syncer/ca', ca),
    ['syncer/kubelet-ca.crt', kubeletCa.certificate],
  ]);
  return files;
}

/** Writes each file whole or not at all; a file of an earlier start is replaced. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, content] of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o750 });
    const draft = `${file}.new`;
    await writeFile(draft, content, { mode: 0o640 });
    await chmod(draft, 0o440);
    await rename(draft, file);
  }
}

type Leaf =
  | 'etcdServer'
  | 'serving'
  | 'etcdClient'
  | 'kubeletClient'
  | 'frontProxyClient'
  | 'controllerManager'
  | 'syncer';

async function issueLeaves(
  trust: Trust,
  plane: ControlPlane,
  now: Date,
): Promise<Readonly<Record<Leaf, CertifiedKey>>> {
  const endOfTime = new Date(8.64e15);
  const from = (authority: AuthorityName, request: Omit<CertificateRequest, 'validUntil'>): Promise<CertifiedKey> =>
    issue(trust.authorities[authority], { ...request, validUntil: endOfTime }, now);
  const loopback = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] };
  return {
    etcdServer: await from('etcd-ca', { commonName: 'etcd', usage: 'server', ...loopback }),
    serving: await from('ca', {
      commonName: 'kube-apiserver',
      usage: 'server',
      dnsNames: apiServerNames(plane),
      addresses: ['127.0.0.1', ...plane.clusterIPs],
    }),
    etcdClient: await from('etcd-ca', { commonName: 'kube-apiserver-etcd-client', usage: 'client' }),
    kubeletClient: await from('kubelet-ca', { commonName: 'kube-apiserver-kubelet-client', usage: 'client' }),
    frontProxyClient: await from('front-proxy-ca', { commonName: 'front-proxy-client', usage: 'client' }),
    controllerManager: await from('ca', { commonName: 'system:kube-controller-manager', usage: 'client' }),
    syncer: await from('ca', { commonName: 'vcluster-syncer', organization: 'system:masters', usage: 'client' }),
  };
}

function pair(path: string, { certificate, key }: CertifiedKey): readonly (readonly [string, string])[] {
  return [
    [`${path}.crt`, certificate],
    [`${path}.key`, key],
  ];
}

function localKubeconfig(authority: CertifiedKey, name: string, user: CertifiedKey): string {
  return kubeconfig([{ context: 'virtual', server: apiServer }], authority.certificate, { name, ...user });
}

/** Everything that the API server dials inside the cluster goes through the syncer; nothing else does. */
function egressSelector(socket: string): string {
  return [
    'apiVersion: apiserver.k8s.io/v1beta1',
    'kind: EgressSelectorConfiguration',
    'egressSelections:',
    '- name: cluster',
    '  connection:',
    '    proxyProtocol: HTTPConnect',
    '    transport:',
    '      uds:',
    `        udsName: ${socket}`,
    '',
  ].join('\n');
}
