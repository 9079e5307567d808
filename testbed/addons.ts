/**
 * What any real cluster has beyond its control plane: cluster DNS and a default StorageClass. Objects are plain data,
 * applied as they stand.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Api, type Manifest } from './api.ts';
import { imageNames } from './images.ts';
import { addresses } from './machine.ts';
import { stateDir } from './paths.ts';
import { waitUntil } from './processes.ts';

const readyTimeoutMs = 120_000;
const dnsLabels = { 'k8s-app': 'kube-dns' };
const storage = 'local-path-storage';

/** Applies the add-ons and waits until they are ready. */
export async function installAddons(kubeconfigPath: string, controlPlaneDir: string): Promise<void> {
  const api = await Api.fromKubeconfig(kubeconfigPath);
  try {
    const upstreams = upstreamServers(await readFile('/etc/resolv.conf', 'utf8').catch(() => ''));
    await api.apply([...clusterDns(upstreams), ...localPath()]);
    const of = { dir: controlPlaneDir, name: 'kube-apiserver', timeoutMs: readyTimeoutMs };
    await waitUntil('cluster DNS', () => isAvailable(api, 'kube-system', 'coredns'), of);
    await waitUntil('the storage provisioner', () => isAvailable(api, storage, 'local-path-provisioner'), of);
  } finally {
    api.close();
  }
}

/** Name servers that a pod can ask: a loopback one would be the pod itself. */
export function upstreamServers(resolvConf: string): readonly string[] {
  const servers = [...resolvConf.matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
  return servers.filter((server) => !server.startsWith('127.') && server !== '::1');
}

async function isAvailable(api: Api, namespace: string, name: string): Promise<boolean> {
  const found = await api.get<{ status?: { availableReplicas?: number } }>(
    `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`,
  );
  return (found?.status?.availableReplicas ?? 0) > 0;
}

function corefile(upstreams: readonly string[]): string {
  const forward = upstreams.length > 0 ? `  forward . ${upstreams.slice(0, 15).join(' ')}\n` : '';
  return `.:53 {
  errors
  health
  ready
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
    ttl 5
  }
${forward}  cache 5
  reload
  loadbalance
}
`;
}

function clusterDns(upstreams: readonly string[]): readonly Manifest[] {
  const namespace = 'kube-system';
  const read = ['list', 'watch'];
  const rules = [
    { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: read },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: read },
  ];
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  const container = {
    name: 'coredns',
    image: imageNames.coredns,
    args: ['-conf', '/etc/coredns/Corefile'],
    volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
    ports: ports.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol })),
    readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
    livenessProbe: { httpGet: { path: '/health', port: 8080 }, initialDelaySeconds: 60 },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
    },
  };
  const podSpec = {
    serviceAccountName: 'coredns',
    dnsPolicy: 'Default',
    priorityClassName: 'system-cluster-critical',
    tolerations: [{ operator: 'Exists' }],
    containers: [container],
    volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
  };
  return [
    ...account('coredns', namespace, rules),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'coredns', namespace },
      data: { Corefile: corefile(upstreams) },
    },
    deployment('coredns', namespace, dnsLabels, podSpec),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace, labels: { ...dnsLabels, 'kubernetes.io/name': 'CoreDNS' } },
      spec: { clusterIP: addresses.dns, selector: dnsLabels, ports },
    },
  ];
}

function localPath(): readonly Manifest[] {
  const name = 'local-path-provisioner';
  const all = ['get', 'list', 'watch', 'create', 'patch', 'update', 'delete'];
  const rules = [
    {
      apiGroups: [''],
      resources: ['nodes', 'persistentvolumeclaims', 'configmaps', 'pods/log'],
      verbs: ['get', 'list', 'watch'],
    },
    { apiGroups: [''], resources: ['persistentvolumes', 'pods', 'events'], verbs: all },
    { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['get', 'list', 'watch'] },
  ];
  const container = {
    name,
    image: imageNames.localPath,
    command: [
      name,
      'start',
      '--config=/etc/config/config.json',
      `--helper-image=${imageNames.busybox}`,
      `--service-account-name=${name}`,
    ],
    volumeMounts: [{ name: 'config', mountPath: '/etc/config' }],
    env: [
      { name: 'POD_NAMESPACE', value: storage },
      { name: 'CONFIG_MOUNT_PATH', value: '/etc/config/' },
    ],
  };
  const volumes = [{ name: 'config', configMap: { name: 'local-path-config' } }];
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: storage } },
    ...account(name, storage, rules),
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'local-path-config', namespace: storage },
      data: localPathConfig(),
    },
    deployment(name, storage, { app: name }, { serviceAccountName: name, containers: [container], volumes }),
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'local-path', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'rancher.io/local-path',
      volumeBindingMode: 'WaitForFirstConsumer',
      reclaimPolicy: 'Delete',
    },
  ];
}

function localPathConfig(): Readonly<Record<string, string>> {
  const paths = [join(stateDir, 'node', 'volumes')];
  const helper = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'helper-pod' },
    spec: { containers: [{ name: 'helper-pod', image: imageNames.busybox, imagePullPolicy: 'IfNotPresent' }] },
  };
  return {
    'config.json': JSON.stringify({ nodePathMap: [{ node: 'DEFAULT_PATH_FOR_NON_LISTED_NODES', paths }] }),
    setup: '#!/bin/sh\nset -eu\nmkdir -m 0777 -p "$VOL_DIR"\n',
    teardown: '#!/bin/sh\nset -eu\nrm -rf "$VOL_DIR"\n',
    'helperPod.yaml': JSON.stringify(helper),
  };
}

function account(name: string, namespace: string, rules: readonly unknown[]): readonly Manifest[] {
  const rbac = 'rbac.authorization.k8s.io';
  const metadata = { name: `testbed:${name}` };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
}

function deployment(
  name: string,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  spec: unknown,
): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}
