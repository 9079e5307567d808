/**
 * Entry of the package: virtual Kubernetes clusters as CDKTF constructs. Importing it loads the CDK and two provider bindings,
 * and nothing of the syncer, the CLI or the testbed.
 */
export { VirtualCluster } from './virtual-cluster.ts';
export type { KubeconfigSecret } from './virtual-cluster.ts';
export type { VirtualClusterProps } from './virtual-cluster-props.ts';
export type { Values } from '../config/options.ts';
