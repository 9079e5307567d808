/**
 * A virtual cluster as a construct. It hides what makes one robust under Terraform, and never chooses a backend. Nothing secret
 * passes through it: the kubeconfig is made in the cluster, and the construct only knows the name of the Secret.
 *
 * With `Provisioner.helm()` it is a namespace and a Helm release (atomic, waiting, healing a half-failed first install, one
 * deterministic values string, the chart as a hashed asset); with `Provisioner.native()` one resource of our own provider.
 */
import type { Release } from '@cdktf/provider-helm/lib/release/index.js';
import type { Construct } from 'constructs';
import { nameProblem } from '../config/names.ts';
import { binding } from './bindings.ts';
import { shippedChart } from './chart.ts';
import { checkNamespaceName, tryDurationSeconds } from './checks.ts';
import { ensureHostProviders, helmProviderLike } from './host-providers.ts';
import { Latch } from './latch.ts';
import type { NativeProvisionerProps } from './provisioner.ts';
import { AssetType, TerraformAsset, TerraformStack, Token } from './terraform.ts';
import { mergeMaps, mergeValues, valuesText } from './values.ts';
import { VclusterClusterResource } from './vcluster/cluster.ts';
import { VirtualClusterBase } from './virtual-cluster-base.ts';
import type { KubeconfigSecret } from './virtual-cluster-base.ts';
import { chartValues, checkProps, labelValues } from './virtual-cluster-props.ts';
import type { HostProps, VirtualClusterProps } from './virtual-cluster-props.ts';

/** How long the host may take from the first request until API server, syncer and DNS of the virtual cluster are ready. */
const TIMEOUT_SECONDS = 300;

/** What the construct needs to know of what it has made. */
interface Made {
  readonly namespace: string;
  readonly endpoint: string;
  readonly kubeconfigSecret: KubeconfigSecret;
  /** Made when it is first asked for. */
  readonly clusterId: () => string;
}

/** Where a virtual cluster is that something else has made. */
export interface ExistingVirtualCluster extends HostProps {
  readonly name: string;
  /**
   * @default - named like the virtual cluster
   */
  readonly namespace?: string;
}

/**
 * A virtual Kubernetes cluster in one namespace of the host cluster.
 *
 * ```ts
 * const team = new VirtualCluster(stack, 'team-a', {
 *   kubernetesVersion: '1.36',
 *   policies: { podSecurityStandard: 'restricted' },
 * });
 * new TerraformOutput(stack, 'endpoint', { value: team.endpoint });
 * new TerraformOutput(stack, 'web_on_the_host', { value: team.hostNameOf('web-0', 'default') });
 * ```
 *
 * By our own provider, which needs no other:
 *
 * ```ts
 * new VirtualCluster(stack, 'team-b', { provisioner: Provisioner.native(), timeouts: { create: '10m' } });
 * ```
 */
export class VirtualCluster extends VirtualClusterBase {
  /**
   * A virtual cluster that exists already, made by another stack, by Helm or by hand. It is entered and never changed.
   *
   * ```ts
   * const team = VirtualCluster.fromName(stack, 'team-a', { name: 'team-a', namespace: 'tenants-a' });
   * team.addManifest('motd', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'motd' }, data: { text: 'hello' } });
   * ```
   */
  static fromName(scope: Construct, id: string, existing: ExistingVirtualCluster): VirtualClusterBase {
    return new ImportedVirtualCluster(scope, id, existing);
  }

  readonly name: string;
  readonly namespace: string;
  readonly endpoint: string;
  readonly kubeconfigSecret: KubeconfigSecret;
  protected readonly host: HostProps;
  readonly #clusterId: () => string;

  constructor(scope: Construct, id: string, props: VirtualClusterProps = {}) {
    super(scope, id);
    this.name = props.name ?? id;
    this.host = props;
    checkProps(this.node.path, this.name, props);
    const choice = props.provisioner?.choice ?? { kind: 'helm' };
    const made = choice.kind === 'native' ? this.madeNatively(props, choice.options) : this.madeByHelm(props);
    this.namespace = made.namespace;
    this.endpoint = made.endpoint;
    this.kubeconfigSecret = made.kubeconfigSecret;
    this.#clusterId = made.clusterId;
  }

  /** Makes the namespace unless it is there already; returns its name, as a reference when it is made here. Helm only. */
  protected createNamespace(props: VirtualClusterProps): string {
    const name = props.namespace ?? this.name;
    if (props.namespaceLifecycle === 'keep') return name;
    const { NamespaceV1 } = binding('@cdktf/provider-kubernetes/lib/namespace-v1/index.js');
    const labels = mergeMaps(props.labels, props.namespaceLabels);
    const namespace = new NamespaceV1(this, 'namespace', {
      metadata: {
        name,
        ...(Object.keys(labels).length > 0 && { labels }),
        ...(props.namespaceAnnotations && { annotations: { ...props.namespaceAnnotations } }),
      },
      ...(props.deletionProtection === true && { lifecycle: { preventDestroy: true } }),
      ...(props.hostProvider && { provider: props.hostProvider }),
    });
    return namespace.metadata.name;
  }

  /** Makes the release. Waits for readiness, takes a failed install back, and adopts what a broken apply has left. Helm only. */
  protected createRelease(props: VirtualClusterProps, namespace: string): Release {
    const { Release } = binding('@cdktf/provider-helm/lib/release/index.js');
    const provider = props.hostHelmProvider ?? (props.hostProvider && helmProviderLike(props.hostProvider));
    return new Release(this, 'release', {
      name: this.name,
      namespace,
      chart: this.createChart(props),
      values: [valuesText(mergeValues(labelValues(props), chartValues(this.node.path, props)))],
      wait: true,
      atomic: true,
      upgradeInstall: true,
      timeout: timeoutSeconds(props),
      ...(props.dependsOn && { dependsOn: [...props.dependsOn] }),
      ...(props.deletionProtection === true && { lifecycle: { preventDestroy: true } }),
      ...(provider && { provider }),
    });
  }

  /** Makes the resource of our own provider. Native only. */
  protected createCluster(props: VirtualClusterProps, options: NativeProvisionerProps): VclusterClusterResource {
    const provider = this.vclusterProvider();
    return new VclusterClusterResource(this, 'cluster', {
      name: this.name,
      ...chartValues(this.node.path, props),
      ...given(props, passedOn),
      ...(props.chart !== undefined && { chartPath: this.createChart(props) }),
      ...options,
      ...(provider && { provider }),
    });
  }

  /** Path of the chart below the stack: an asset, named by its content. */
  protected createChart(props: VirtualClusterProps): string {
    const path = props.chart ?? shippedChart();
    return new TerraformAsset(this, 'chart', { path, type: AssetType.DIRECTORY }).path;
  }

  protected clusterId(): string {
    return this.#clusterId();
  }

  private madeByHelm(props: VirtualClusterProps): Made {
    if (props.hostProvider === undefined) {
      const types = (['kubernetes', 'helm'] as const).filter((type) => type !== 'helm' || !props.hostHelmProvider);
      ensureHostProviders(TerraformStack.of(this), types);
    }
    const namespace = this.createNamespace(props);
    const release = this.createRelease(props, namespace);
    let latch: Latch | undefined;
    return {
      namespace,
      endpoint: `https://${release.name}.${release.namespace}:443`,
      // References to the release, so that whoever reads the Secret waits for it; both stay known while the release is updated.
      kubeconfigSecret: { name: `vc-${release.name}`, namespace: release.namespace },
      clusterId: () => {
        latch ??= new Latch(this, 'ready', { value: `${namespace}/${this.name}`, dependsOn: [release] });
        return latch.output;
      },
    };
  }

  private madeNatively(props: VirtualClusterProps, options: NativeProvisionerProps): Made {
    const cluster = this.createCluster(props, options);
    return {
      namespace: cluster.namespace,
      endpoint: cluster.endpoint,
      kubeconfigSecret: { name: cluster.kubeconfigSecretName, namespace: cluster.kubeconfigSecretNamespace },
      clusterId: () => cluster.id,
    };
  }
}

/** Properties that the resource of our own provider takes as they are. */
const passedOn = [
  'namespace',
  'namespaceLifecycle',
  'namespaceLabels',
  'namespaceAnnotations',
  'labels',
  'timeouts',
  'deletionProtection',
  'dependsOn',
] as const satisfies readonly (keyof VirtualClusterProps)[];

function given<T extends object, K extends keyof T>(props: T, keys: readonly K[]): Pick<T, K> {
  const entries = keys.filter((key) => props[key] !== undefined).map((key) => [key, props[key]]);
  return Object.fromEntries(entries) as Pick<T, K>;
}

/** Helm has one limit for all it does. */
function timeoutSeconds({ timeouts = {} }: VirtualClusterProps): number {
  const all = [timeouts.create, timeouts.update, timeouts.delete].filter((text) => text !== undefined);
  const seconds = all.filter((text) => !Token.isUnresolved(text)).map((text) => tryDurationSeconds(text) ?? 0);
  return seconds.length === 0 ? TIMEOUT_SECONDS : Math.max(...seconds);
}

class ImportedVirtualCluster extends VirtualClusterBase {
  readonly name: string;
  readonly namespace: string;
  readonly endpoint: string;
  readonly kubeconfigSecret: KubeconfigSecret;
  protected readonly host: HostProps;

  constructor(scope: Construct, id: string, existing: ExistingVirtualCluster) {
    super(scope, id);
    const { name, namespace = existing.name } = existing;
    const problem = Token.isUnresolved(name) ? undefined : nameProblem(name);
    if (problem !== undefined) throw new Error(`${this.node.path}: ${problem}`);
    checkNamespaceName(`${this.node.path}: namespace`, namespace);
    this.name = name;
    this.namespace = namespace;
    this.endpoint = `https://${name}.${namespace}:443`;
    this.kubeconfigSecret = { name: `vc-${name}`, namespace };
    this.host = existing;
  }

  protected clusterId(): string {
    return `${this.namespace}/${this.name}`;
  }
}
