/**
 * A virtual cluster as a construct: the namespace it lives in and the Helm release that is all of it. The construct hides what
 * makes a Helm release robust under Terraform (atomic, waiting, healing a half-failed first install, one deterministic values
 * string, the chart as a hashed asset) and never chooses a backend. Nothing secret passes through it: the kubeconfig is made in
 * the cluster, and the construct only knows the name of the Secret.
 */
import { Release } from '@cdktf/provider-helm/lib/release/index.js';
import { NamespaceV1 } from '@cdktf/provider-kubernetes/lib/namespace-v1/index.js';
import { Construct } from 'constructs';
import { shippedChart } from './chart.ts';
import { ensureHostProviders } from './host-providers.ts';
import { AssetType, TerraformAsset, TerraformStack } from './terraform.ts';
import { valuesText } from './values.ts';
import { chartValues, checkProps } from './virtual-cluster-props.ts';
import type { VirtualClusterProps } from './virtual-cluster-props.ts';

/** How long the host may take from the first request until API server, syncer and DNS of the virtual cluster are ready. */
const TIMEOUT_SECONDS = 300;

/** Where a kubeconfig for the virtual cluster is found on the host, under the key `config`. */
export interface KubeconfigSecret {
  readonly name: string;
  readonly namespace: string;
}

/**
 * A virtual Kubernetes cluster in one namespace of the host cluster.
 *
 * ```ts
 * const team = new VirtualCluster(stack, 'team-a', { kubernetesVersion: '1.36' });
 * new TerraformOutput(stack, 'kubeconfig', { value: team.kubeconfigSecret.name });
 * ```
 */
export class VirtualCluster extends Construct {
  /** Name of the virtual cluster. */
  readonly name: string;
  /** The host namespace. Using it in another resource makes that wait for the namespace, not for the virtual cluster. */
  readonly namespace: string;
  /** Secret with the kubeconfig. Using its name or namespace in another resource makes that wait until the virtual cluster is ready. */
  readonly kubeconfigSecret: KubeconfigSecret;
  /** The Helm release, for what this construct does not offer. */
  readonly release: Release;

  constructor(scope: Construct, id: string, props: VirtualClusterProps = {}) {
    super(scope, id);
    this.name = props.name ?? id;
    checkProps(this.node.path, this.name, props);
    if (props.helmProvider === undefined) ensureHostProviders(TerraformStack.of(this));
    this.namespace = this.createNamespace(props);
    this.release = this.createRelease(props);
    // References to the release, so that whoever reads the Secret waits for it; both stay known while the release is updated.
    this.kubeconfigSecret = { name: `vc-${this.release.name}`, namespace: this.release.namespace };
  }

  /** Makes the namespace unless it exists already; returns its name, as a reference when it is made here. */
  protected createNamespace(props: VirtualClusterProps): string {
    const name = props.namespace ?? this.name;
    if (props.createNamespace === false) return name;
    const namespace = new NamespaceV1(this, 'namespace', {
      metadata: { name, ...(props.namespaceLabels && { labels: { ...props.namespaceLabels } }) },
      ...(props.hostKubernetesProvider && { provider: props.hostKubernetesProvider }),
    });
    return namespace.metadata.name;
  }

  /** Makes the release. Waits for readiness, takes a failed install back, and adopts what a broken apply has left. */
  protected createRelease(props: VirtualClusterProps): Release {
    const path = props.chart ?? shippedChart();
    return new Release(this, 'release', {
      name: this.name,
      namespace: this.namespace,
      chart: new TerraformAsset(this, 'chart', { path, type: AssetType.DIRECTORY }).path,
      values: [valuesText(chartValues(this.node.path, props))],
      wait: true,
      atomic: true,
      upgradeInstall: true,
      timeout: props.timeoutSeconds ?? TIMEOUT_SECONDS,
      ...(props.helmProvider && { provider: props.helmProvider }),
    });
  }
}
