/** `ephemeral "vcluster_kubeconfig"`: the way into a virtual cluster while Terraform works, and no trace of it afterwards. */
import type { Construct } from 'constructs';
import { EphemeralBlock } from './ephemeral.ts';
import type { EphemeralMeta } from './ephemeral.ts';

/** A service account inside the virtual cluster. */
export interface KubeconfigServiceAccount {
  readonly namespace: string;
  readonly name: string;
  /**
   * How long its token is good for.
   * @default - what the API server gives
   */
  readonly expirationSeconds?: number;
}

/** Options of a {@link VclusterKubeconfig}. */
export interface VclusterKubeconfigProps extends EphemeralMeta {
  /** `namespace/name`. While it is unknown, Terraform puts off opening, and everything that hangs on it. */
  readonly clusterId: string;

  /**
   * How the virtual API server is reached: `direct` by the address in the kubeconfig, `port_forward` through the host's API
   * server, `auto` by what works.
   * @default 'auto'
   */
  readonly access?: 'auto' | 'direct' | 'port_forward';

  /**
   * How long to wait until the virtual cluster answers, such as `2m`.
   * @default - the provider's
   */
  readonly timeout?: string;

  /**
   * Whether a paused virtual cluster is woken for the time of the command.
   * @default false
   */
  readonly wake?: boolean;

  /**
   * Go in as this service account, by a short-lived token, in place of the admin's certificate.
   * @default - the admin
   */
  readonly serviceAccount?: KubeconfigServiceAccount;
}

/** What was opened, as references. They go into provider configurations and write-only attributes only. */
export class VclusterKubeconfig extends EphemeralBlock {
  constructor(scope: Construct, id: string, props: VclusterKubeconfigProps) {
    const { dependsOn, provider, ...config } = props;
    const meta = { ...(dependsOn && { dependsOn }), ...(provider && { provider }) };
    super(scope, id, 'vcluster_kubeconfig', { config, meta });
  }

  get host(): string {
    return this.attribute('host');
  }

  get clusterCaCertificate(): string {
    return this.attribute('cluster_ca_certificate');
  }

  get clientCertificate(): string {
    return this.attribute('client_certificate');
  }

  get clientKey(): string {
    return this.attribute('client_key');
  }

  get token(): string {
    return this.attribute('token');
  }

  /** The name in the certificate of the API server, where it is not that of `host`. */
  get tlsServerName(): string {
    return this.attribute('tls_server_name');
  }

  /** The whole kubeconfig, as YAML. */
  get kubeconfig(): string {
    return this.attribute('kubeconfig');
  }

  get expiresAt(): string {
    return this.attribute('expires_at');
  }
}
