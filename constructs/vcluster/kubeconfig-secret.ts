/**
 * `resource "vcluster_kubeconfig_secret"`: a kubeconfig for a tenant, of a service account of its own, in any namespace of the host; renewed
 * before it ends. Its key is made by the provider and is in no state.
 */
import type { Construct } from 'constructs';
import type { Timeouts } from './cluster.ts';
import { OwnResource } from './resource.ts';
import type { ResourceMeta } from './resource.ts';

/** The service account inside that a kubeconfig is for. */
export interface SecretServiceAccount {
  readonly name: string;
  /**
   * @default 'kube-system'
   */
  readonly namespace?: string;
  /**
   * Whether it is made when it is not there, and removed again.
   * @default true
   */
  readonly create?: boolean;
}

/** What a service account may do inside. */
export interface SecretRole {
  /** Such as `view`, `edit` or `cluster-admin`. */
  readonly name: string;
  /**
   * @default 'ClusterRole'
   */
  readonly kind?: 'ClusterRole' | 'Role';
  /**
   * Where it holds.
   * @default - everywhere
   */
  readonly namespace?: string;
}

/** Attributes of a {@link VclusterKubeconfigSecretResource}. */
export interface VclusterKubeconfigSecretResourceProps extends ResourceMeta {
  /** `namespace/name` of the virtual cluster. */
  readonly clusterId: string;
  /** Name of the Secret. */
  readonly name: string;
  /** Namespace of the host for the Secret. */
  readonly namespace: string;
  readonly serviceAccount: SecretServiceAccount;
  /**
   * @default - nothing is bound
   */
  readonly role?: SecretRole;
  /**
   * `argocd` is a cluster Secret of Argo CD.
   * @default 'kubeconfig'
   */
  readonly format?: 'kubeconfig' | 'argocd';
  /**
   * @default 'config'
   */
  readonly key?: string;
  /**
   * @default - 30 days
   */
  readonly expirationSeconds?: number;
  /**
   * Address in the kubeconfig.
   * @default - the virtual cluster's Service
   */
  readonly server?: string;
  /**
   * @default - the name in `server`
   */
  readonly tlsServerName?: string;
  /**
   * @default - none
   */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * @default - none
   */
  readonly annotations?: Readonly<Record<string, string>>;
  /**
   * Any values; when one changes, the token is replaced.
   * @default - none
   */
  readonly rotateWhenChanged?: Readonly<Record<string, string>>;
  /**
   * @default - the provider's
   */
  readonly timeouts?: Timeouts;
}

/** A Secret on the host with a tenant's kubeconfig. */
export class VclusterKubeconfigSecretResource extends OwnResource {
  static readonly tfResourceType: string = 'vcluster_kubeconfig_secret';

  constructor(scope: Construct, id: string, props: VclusterKubeconfigSecretResourceProps) {
    const nested = ['serviceAccount', 'role', 'timeouts'];
    super(scope, id, { type: VclusterKubeconfigSecretResource.tfResourceType, nested }, props);
  }

  /** `namespace/name` of the Secret. */
  get id(): string {
    return this.getStringAttribute('id');
  }

  get expiresAt(): string {
    return this.getStringAttribute('expires_at');
  }
}
