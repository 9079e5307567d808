/**
 * Entry of the package: virtual Kubernetes clusters as CDKTF constructs. Importing it loads the CDK, and nothing of the provider
 * bindings, the syncer, the CLI or the testbed.
 */
export { Provisioner } from './provisioner.ts';
export type { NativeProvisionerProps } from './provisioner.ts';
export { VirtualCluster } from './virtual-cluster.ts';
export type { ExistingVirtualCluster } from './virtual-cluster.ts';
export { VirtualClusterBase } from './virtual-cluster-base.ts';
export type { KubeconfigSecret } from './virtual-cluster-base.ts';
export type { HostProps, VirtualClusterProps } from './virtual-cluster-props.ts';
export type { Manifest, KubernetesObject, ManifestOptions, ManifestSource } from './manifests.ts';
export { TenantEnvironment } from './tenant-environment.ts';
export type {
  ContainerAmounts,
  Isolation,
  TenantEnvironmentProps,
  TenantLimits,
  TenantProps,
  TenantQuota,
} from './tenant-environment-props.ts';
export { TenantFleet } from './tenant-fleet.ts';
export type { LeavingTenant, TenantEnvironmentClass, TenantFleetProps } from './tenant-fleet.ts';
export { loadTenants } from './tenants-file.ts';
export type { DefaultTenantSchema, Tenant, TenantOf, TenantSchema } from './tenants-file.ts';
export { VclusterClusterResource } from './vcluster/cluster.ts';
export type { NamespaceLifecycle, Timeouts, VclusterClusterResourceProps } from './vcluster/cluster.ts';
export type { ResourceMeta } from './vcluster/resource.ts';
export { DataVclusterCluster, DataVclusterClusters } from './vcluster/data.ts';
export type { DataSourceMeta, DataVclusterClusterProps, DataVclusterClustersProps } from './vcluster/data.ts';
export { VclusterKubeconfigSecretResource } from './vcluster/kubeconfig-secret.ts';
export type {
  SecretRole,
  SecretServiceAccount,
  VclusterKubeconfigSecretResourceProps,
} from './vcluster/kubeconfig-secret.ts';
export { VclusterKubeconfig } from './vcluster/kubeconfig.ts';
export type { KubeconfigServiceAccount, VclusterKubeconfigProps } from './vcluster/kubeconfig.ts';
export type { EphemeralMeta } from './vcluster/ephemeral.ts';
export { VclusterProvider } from './vcluster/provider.ts';
export type { HostAccess, HostExec, VclusterProviderProps } from './vcluster/provider.ts';
export type { Values } from '../config/options.ts';
