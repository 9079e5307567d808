/**
 * The way into a virtual cluster, for resources of the same stack. Made at first use, so that a stack which never goes in needs
 * nothing for it.
 *
 * Four things make it hold, each found by trying (docs/adr/0021-provisioners.md):
 * - the kubeconfig is an ephemeral value: it is in no plan and no state;
 * - what it is keyed on is unknown until the virtual cluster was ready once and known ever after, also while it is updated;
 *   an unknown provider configuration would have Terraform plan inner resources against nothing, or against the host;
 * - `config_path` is /dev/null, so that no kubeconfig of the environment is read in place of an unknown value;
 * - user, password, token, context, proxy and server name are always given: a host token in KUBE_TOKEN, or in a kubeconfig of
 *   KUBE_CONFIG_PATHS (which the Helm provider reads whatever `config_path` says), would otherwise be sent to the virtual API server,
 *   and the host's proxy or server name would keep Terraform from reaching it.
 */
import type { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js';
import type { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js';
import { Construct } from 'constructs';
import { binding } from './bindings.ts';
import { Fn, Token } from './terraform.ts';
import type { TerraformProvider } from './terraform.ts';
import { VclusterKubeconfig } from './vcluster/kubeconfig.ts';

/** Sent where a virtual cluster is entered by certificate, which the API server looks at first. It opens nothing. */
const noToken = 'unused';

/** Where the way begins. */
export interface InsideProps {
  /** `namespace/name`, by the rule of this file's header. */
  readonly clusterId: string;
  /** Our provider for the host cluster, when it is not the default one. */
  readonly provider?: TerraformProvider;
}

/** Provider configurations for the inside of one virtual cluster. */
export class Inside extends Construct {
  readonly #kubeconfig: VclusterKubeconfig;
  #kubernetes: KubernetesProvider | undefined;
  #helm: HelmProvider | undefined;

  constructor(scope: Construct, id: string, props: InsideProps) {
    super(scope, id);
    this.#kubeconfig = new VclusterKubeconfig(this, 'kubeconfig', props);
  }

  get kubernetes(): KubernetesProvider {
    this.#kubernetes ??= this.createKubernetes();
    return this.#kubernetes;
  }

  get helm(): HelmProvider {
    this.#helm ??= this.createHelm();
    return this.#helm;
  }

  protected createKubernetes(): KubernetesProvider {
    const { KubernetesProvider } = binding('@cdktf/provider-kubernetes/lib/provider/index.js');
    return new KubernetesProvider(this, 'kubernetes', { alias: this.alias(), ...this.access() });
  }

  protected createHelm(): HelmProvider {
    const { HelmProvider } = binding('@cdktf/provider-helm/lib/provider/index.js');
    return new HelmProvider(this, 'helm', { alias: this.alias(), kubernetes: this.access() });
  }

  /** Different for each virtual cluster of a stack. */
  private alias(): string {
    return this.#kubeconfig.friendlyUniqueId;
  }

  private access() {
    const kubeconfig = this.#kubeconfig;
    return {
      host: kubeconfig.host,
      clusterCaCertificate: kubeconfig.clusterCaCertificate,
      clientCertificate: kubeconfig.clientCertificate,
      clientKey: kubeconfig.clientKey,
      // Never null, which would be read as "not given".
      tlsServerName: Fn.join('', Token.asList(Fn.compact([kubeconfig.tlsServerName]))),
      token: String(Fn.coalesce([kubeconfig.token, noToken])),
      username: '',
      password: '',
      insecure: false,
      configPath: '/dev/null',
      configContext: '',
      proxyUrl: '',
    };
  }
}
