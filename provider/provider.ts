/**
 * The provider `vcluster`: what it offers, as a list one can read, and how it is started.
 */
import manifest from '../package.json' with { type: 'json' };
import { clusterData } from './cluster-data/cluster.ts';
import { clustersData } from './cluster-data/clusters.ts';
import { cluster } from './cluster/resource.ts';
import { configure, providerAttributes, validateConfig } from './configured.ts';
import { defineProvider, type ProviderType } from './framework/define-provider.ts';
import { serviceOf } from './framework/server.ts';
import { functions } from './functions/index.ts';
import { closeKubeconfigs, kubeconfigEphemeral } from './kubeconfig/ephemeral.ts';
import { kubeconfigSecret } from './kubeconfig/secret.ts';
import type { StartProvider } from './wire/service.ts';

const example = `terraform {
  required_providers {
    vcluster = { source = "cdktf-vcluster/vcluster" }
  }
}

provider "vcluster" {
  config_path    = "~/.kube/config"
  config_context = "prod"
}

resource "vcluster_cluster" "team_a" {
  name               = "team-a"
  kubernetes_version = "1.36"
}
`;

const doc = `Virtual Kubernetes clusters: a real API server for each tenant, inside one namespace of a host cluster.

Which host cluster is meant is looked for in this order:

1. \`host\` with its certificates and credentials; then no kubeconfig is read, whatever the environment says;
2. \`config_paths\`, or \`config_path\`;
3. the environment variables \`KUBE_CONFIG_PATHS\`, \`KUBE_CONFIG_PATH\`, \`KUBECONFIG\`;
4. \`~/.kube/config\`;
5. the service account of the pod that Terraform runs in.

The context is \`config_context\`, else the environment variable \`KUBE_CTX\`, else the kubeconfig's current one. The host is asked only when
something of it is needed: \`terraform validate\` works without one, and values that other resources of the same apply make
are fine as long as nothing has to be read with them.`;

export const provider: ProviderType = defineProvider({
  name: 'vcluster',
  version: manifest.version,
  doc,
  example,
  attributes: providerAttributes,
  validate: validateConfig,
  configure: (config) => configure(config),
  close: async (configured) => {
    await closeKubeconfigs();
    await configured.close();
  },
  resources: [cluster, kubeconfigSecret],
  dataSources: [clusterData, clustersData],
  ephemerals: [kubeconfigEphemeral],
  functions,
});

/** Starts the provider for a process that serves it. */
export const startProvider: StartProvider = (surroundings) => serviceOf(provider, surroundings);
