/**
 * Cluster DNS as a tenant would find it anywhere: CoreDNS behind Service kube-system/kube-dns (spec SVC-54). It listens on 1053,
 * so that it needs no right to bind low ports, and its pods pass Pod Security `restricted`.
 */
import type { Kind } from '../model/kind.ts';
import { configMaps, serviceAccounts, services } from '../model/kubernetes.ts';
import type { KubeObject } from '../model/object.ts';
import type { Manifest } from './apply.ts';

const namespace = 'kube-system';
const labels = { 'k8s-app': 'vcluster-kube-dns' };
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: false } as const;

const clusterRoles: Kind = { ...rbac, plural: 'clusterroles', kind: 'ClusterRole' };
const clusterRoleBindings: Kind = { ...rbac, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' };
const deployments: Kind = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true };

export interface ClusterDnsOptions {
  readonly image: string;
  readonly clusterDomain: string;
}

export function clusterDns(options: ClusterDnsOptions): readonly Manifest[] {
  return [
    manifest(serviceAccounts, { metadata: { name: 'coredns', namespace } }),
    manifest(clusterRoles, {
      metadata: { name: 'system:coredns' },
      rules: [
        { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    }),
    manifest(clusterRoleBindings, {
      metadata: { name: 'system:coredns' },
      roleRef: { apiGroup: rbac.group, kind: 'ClusterRole', name: 'system:coredns' },
      subjects: [{ kind: 'ServiceAccount', name: 'coredns', namespace }],
    }),
    manifest(configMaps, {
      metadata: { name: 'coredns', namespace },
      data: { Corefile: corefile(options.clusterDomain) },
    }),
    manifest(services, {
      metadata: { name: 'kube-dns', namespace, labels: { ...labels, 'kubernetes.io/name': 'CoreDNS' } },
      spec: {
        selector: labels,
        ports: [
          { name: 'dns', port: 53, targetPort: 1053, protocol: 'UDP' },
          { name: 'dns-tcp', port: 53, targetPort: 1053, protocol: 'TCP' },
        ],
      },
    }),
    manifest(deployments, deployment(options.image)),
  ];
}

function manifest(kind: Kind, object: KubeObject & Readonly<Record<string, unknown>>): Manifest {
  return { kind, object };
}

function corefile(domain: string): string {
  return `.:1053 {
    errors
    health :8080
    ready :8181
    kubernetes ${domain} in-addr.arpa ip6.arpa {
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
}
`;
}

function deployment(image: string): KubeObject & Readonly<Record<string, unknown>> {
  return {
    metadata: { name: 'coredns', namespace, labels },
    spec: {
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec(image) },
    },
  };
}

function podSpec(image: string): object {
  return {
    serviceAccountName: 'coredns',
    priorityClassName: 'system-cluster-critical',
    dnsPolicy: 'Default',
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'coredns',
        image,
        imagePullPolicy: 'IfNotPresent',
        args: ['-conf', '/etc/coredns/Corefile'],
        resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '170Mi' } },
        // The official binary carries this file capability: without it in the bounding set its exec fails (findings C).
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
        },
        ports: [
          { name: 'dns', containerPort: 1053, protocol: 'UDP' },
          { name: 'dns-tcp', containerPort: 1053, protocol: 'TCP' },
        ],
        readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
        livenessProbe: { httpGet: { path: '/health', port: 8080 }, initialDelaySeconds: 30, timeoutSeconds: 5 },
        volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: 'coredns', items: [{ key: 'Corefile', path: 'Corefile' }] } }],
  };
}
