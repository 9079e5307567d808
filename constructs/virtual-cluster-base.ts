/**
 * What can be done with a virtual cluster, whoever has made it: go in, name its objects on the host, put objects into it. What is
 * only needed for going in is made at first use.
 */
import type { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js';
import type { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js';
import { Construct } from 'constructs';
import { hostName } from '../config/host-names.ts';
import { ensureHostProviders, vclusterProviderLike } from './host-providers.ts';
import { Inside } from './inside.ts';
import { Manifest } from './manifests.ts';
import type { ManifestOptions, ManifestSource } from './manifests.ts';
import { call, TerraformStack, Token } from './terraform.ts';
import type { HostProps } from './virtual-cluster-props.ts';
import type { VclusterProvider } from './vcluster/provider.ts';

/** Where a kubeconfig for the virtual cluster is found on the host, under the key `config`. */
export interface KubeconfigSecret {
  readonly name: string;
  readonly namespace: string;
}

/** A virtual cluster, made here or elsewhere. */
export abstract class VirtualClusterBase extends Construct {
  /** Name of the virtual cluster. */
  abstract readonly name: string;
  /** The host namespace. Using it in another resource makes that wait for the namespace, not for the virtual cluster. */
  abstract readonly namespace: string;
  /** URL of the virtual API server, as pods of the host cluster reach it. */
  abstract readonly endpoint: string;
  /** Secret with the kubeconfig. Using its name or namespace in another resource makes that wait until the virtual cluster is ready. */
  abstract readonly kubeconfigSecret: KubeconfigSecret;
  #inside: Inside | undefined;

  /**
   * A kubernetes provider inside the virtual cluster, for resources of the same stack and the same apply:
   *
   * ```ts
   * import { NamespaceV1 } from '@cdktf/provider-kubernetes/lib/namespace-v1/index.js';
   *
   * const team = new VirtualCluster(stack, 'team-a');
   * new NamespaceV1(stack, 'app', { provider: team.provider, metadata: { name: 'app' } });
   * ```
   * Its key is never in plan or state. Needs our own provider `vcluster`, also with `Provisioner.helm()`. No `kubernetes_manifest` with it:
   * that cannot be planned before the cluster is there; use `addManifest`.
   */
  get provider(): KubernetesProvider {
    return this.inside().kubernetes;
  }

  /**
   * A Helm provider inside the virtual cluster. Give releases a `version` or leave `upgradeInstall` off, or the provider looks for the
   * release while Terraform plans, when there is no virtual cluster yet.
   */
  get helmProvider(): HelmProvider {
    return this.inside().helm;
  }

  /**
   * Name on the host of a namespaced object of the virtual cluster, for monitoring and policies there. For names that only Terraform
   * knows the provider's function `host_name` is called.
   */
  hostNameOf(name: string, namespace: string): string {
    if (![name, namespace, this.name].some((part) => Token.isUnresolved(part))) return hostName(name, namespace, this);
    this.vclusterProvider();
    return Token.asString(call('provider::vcluster::host_name', [name, namespace, this.name]));
  }

  /**
   * Puts objects into the virtual cluster: YAML with any number of documents, an object, or several. Works in the apply that makes the
   * virtual cluster. Values of the objects stand in the state, so no secrets.
   *
   * ```ts
   * const team = new VirtualCluster(stack, 'team-a');
   * team.addManifest('motd', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'motd' }, data: { text: 'hello' } });
   * ```
   */
  addManifest(id: string, source: ManifestSource, options: ManifestOptions = {}): Manifest {
    const holder = this.node.tryFindChild('manifests') ?? new Construct(this, 'manifests');
    return new Manifest(holder, id, { ...options, source, helmProvider: this.helmProvider });
  }

  /** `namespace/name`: unknown until the virtual cluster was ready once, known ever after. */
  protected abstract clusterId(): string;

  /** Which host cluster it is on. */
  protected abstract readonly host: HostProps;

  /** Our own provider for the host; undefined when it is the stack's default one, which is then made sure of. */
  protected vclusterProvider(): VclusterProvider | undefined {
    const { hostProvider, hostVclusterProvider } = this.host;
    if (hostVclusterProvider !== undefined) return hostVclusterProvider;
    if (hostProvider !== undefined) return vclusterProviderLike(hostProvider);
    ensureHostProviders(TerraformStack.of(this), ['vcluster']);
    return undefined;
  }

  private inside(): Inside {
    const provider = this.vclusterProvider();
    this.#inside ??= new Inside(this, 'inside', { clusterId: this.clusterId(), ...(provider && { provider }) });
    return this.#inside;
  }
}
