/**
 * Our own classes for the provider against the provider itself: every attribute they write is one of its schema, and every attribute they
 * read as well. Hand-written classes stay true by this.
 */
import { TerraformOutput, TerraformStack } from 'cdktf';
import { describe, expect, test } from 'vitest';
import {
  DataVclusterCluster,
  DataVclusterClusters,
  VclusterClusterResource,
  VclusterKubeconfig,
  VclusterKubeconfigSecretResource,
  VclusterProvider,
} from '../../constructs/index.ts';
import type { Attributes } from '../../provider/framework/attributes.ts';
import { provider } from '../../provider/provider.ts';
import { inFolder, newStack, synthesised } from './program.ts';
import type { Block } from './program.ts';

inFolder();

const metaArguments = ['//', 'alias', 'depends_on', 'lifecycle', 'provider', 'timeouts'];
const map = { someKey: 'some value' };
const timeouts = { create: '1m', update: '1m', delete: '1m' };

/** Paths of a block that the schema has no attribute for; below a map anything may stand. */
function strangers(block: object, attributes: Attributes, path: readonly string[] = []): readonly string[] {
  return Object.entries(block).flatMap(([key, value]) => {
    const attribute = attributes[key];
    if (path.length === 0 && metaArguments.includes(key)) return [];
    if (attribute === undefined) return [[...path, key].join('.')];
    const { type } = attribute;
    if (typeof type !== 'object' || !('nested' in type)) return [];
    return [value].flat().flatMap((item) => strangers(item as object, type.attributes, [...path, key]));
  });
}

/** Attributes that a program reads of one block, and that the schema does not have. */
function unknownReads(texts: readonly unknown[], attributes: Attributes): readonly string[] {
  // ${type.name.attribute…}, for a data source with `data.` before it.
  const names = texts.map((text) => /^\$\{(?:data\.)?\w+\.[\w-]+\.(\w+)/.exec(String(text))?.[1] ?? String(text));
  return names.filter((name) => attributes[name] === undefined);
}

function attributesOf(kind: 'resources' | 'dataSources' | 'ephemerals', name: string): Attributes {
  const found = provider[kind].find(
    ({ definition }) => `vcluster_${definition.name.replace(/^vcluster_/, '')}` === name,
  );
  expect(found, name).toBeDefined();
  return found?.definition.attributes ?? {};
}

/** A stack with everything set, and everything that can be read as an output. */
function everything(stack: TerraformStack): void {
  const serviceAccount = { namespace: 'n', name: 'a' };
  const exec = { apiVersion: 'v1', command: 'c', args: ['a'], env: map };
  new VclusterProvider(stack, 'provider', {
    configPath: 'p',
    configPaths: ['p'],
    configContext: 'c',
    host: 'h',
    tlsServerName: 't',
    insecure: false,
    exec,
    clusterCaCertificate: 'c',
    clientCertificate: 'c',
    clientKey: 'k',
    token: 't',
    helmPath: 'h',
  });
  const cluster = new VclusterClusterResource(stack, 'cluster', {
    name: 'n',
    namespace: 'n',
    namespaceLifecycle: 'create',
    namespaceLabels: map,
    namespaceAnnotations: map,
    labels: map,
    kubernetesVersion: '1.36',
    values: ['{}'],
    sync: { toHost: { pods: { runtimeClassName: 'r' } } },
    policies: { podSecurityStandard: 'baseline' },
    networking: { advanced: { clusterDomain: 'c.d' } },
    logging: { level: 'info' },
    tracing: { sampleRatio: '1' },
    controlPlane: { statefulSet: { scheduling: { nodeSelector: map, tolerations: [{ tolerationSeconds: 1 }] } } },
    chartPath: 'c',
    pause: true,
    deletionProtection: true,
    timeouts,
  });
  const secret = new VclusterKubeconfigSecretResource(stack, 'secret', {
    clusterId: 'c',
    name: 'n',
    namespace: 'n',
    serviceAccount: { ...serviceAccount, create: true },
    timeouts,
    role: { name: 'r', kind: 'Role', namespace: 'n' },
    format: 'argocd',
    key: 'k',
    expirationSeconds: 1,
    server: 's',
    tlsServerName: 't',
    labels: map,
    annotations: map,
    rotateWhenChanged: map,
  });
  const one = new DataVclusterCluster(stack, 'one', { id: 'n/n', name: 'n', namespace: 'n' });
  const all = new DataVclusterClusters(stack, 'all', { labels: map, namespace: 'n' });
  new VclusterKubeconfig(stack, 'kubeconfig', {
    clusterId: 'c',
    access: 'auto',
    timeout: '1m',
    wake: true,
    serviceAccount: { ...serviceAccount, expirationSeconds: 1 },
  });
  const reads = {
    cluster: [
      cluster.id,
      cluster.name,
      cluster.namespace,
      cluster.endpoint,
      cluster.clusterCaCertificate,
      cluster.phase,
      cluster.kubeconfigSecretName,
      cluster.kubeconfigSecretNamespace,
      cluster.kubernetesVersionRunning,
    ],
    secret: [secret.id, secret.expiresAt],
    one: [one.id, one.endpoint, one.clusterCaCertificate, one.phase, one.kubernetesVersionRunning],
    all: all.clusters,
  };
  for (const [name, value] of Object.entries(reads)) new TerraformOutput(stack, `read-${name}`, { value });
}

describe('Bindings of the provider', () => {
  const only = (blocks: Readonly<Record<string, Block>> | undefined): Block => Object.values(blocks ?? {})[0] ?? {};

  test('write attributes of its schema only, and every one that a user can set', () => {
    const stack = newStack();
    everything(stack);
    const program = synthesised(stack) as ReturnType<typeof synthesised> & {
      readonly data?: Readonly<Record<string, Readonly<Record<string, Block>>>>;
    };
    const written: readonly (readonly [Block, Attributes])[] = [
      [program.provider?.['vcluster']?.[0] ?? {}, provider.attributes],
      [only(program.resource?.['vcluster_cluster']), attributesOf('resources', 'vcluster_cluster')],
      [only(program.resource?.['vcluster_kubeconfig_secret']), attributesOf('resources', 'vcluster_kubeconfig_secret')],
      [only(program.data?.['vcluster_cluster']), attributesOf('dataSources', 'vcluster_cluster')],
      [only(program.data?.['vcluster_clusters']), attributesOf('dataSources', 'vcluster_clusters')],
      [only(program.ephemeral?.['vcluster_kubeconfig']), attributesOf('ephemerals', 'vcluster_kubeconfig')],
    ];
    for (const [block, attributes] of written) {
      expect(strangers(block, attributes)).toEqual([]);
      const settable = Object.keys(attributes).filter(
        (name) => attributes[name]?.required || attributes[name]?.optional,
      );
      expect(settable.filter((name) => !(name in block))).toEqual([]);
    }
  });

  test('read attributes of its schema only', () => {
    const stack = newStack();
    everything(stack);
    const { output } = synthesised(stack);
    const reads = (name: string): readonly unknown[] => [output?.[`read-${name}`]?.value].flat();
    expect(unknownReads(reads('cluster'), attributesOf('resources', 'vcluster_cluster'))).toEqual([]);
    expect(unknownReads(reads('secret'), attributesOf('resources', 'vcluster_kubeconfig_secret'))).toEqual([]);
    expect(unknownReads(reads('one'), attributesOf('dataSources', 'vcluster_cluster'))).toEqual([]);
    expect(unknownReads(reads('all'), attributesOf('dataSources', 'vcluster_clusters'))).toEqual([]);
  });

  test('of the ephemeral kubeconfig read attributes of its schema only', () => {
    const names = Object.getOwnPropertyNames(VclusterKubeconfig.prototype).filter((name) => name !== 'constructor');
    const attributes = attributesOf('ephemerals', 'vcluster_kubeconfig');
    const snake = names.map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
    expect(snake.filter((name) => attributes[name] === undefined)).toEqual([]);
  });
});
