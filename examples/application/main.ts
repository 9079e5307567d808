/**
 * One apply: a virtual cluster, a Deployment and a Service in it, and a Helm chart in it. The key with which Terraform goes in is in
 * no plan and no state.
 */
import { DeploymentV1 } from '@cdktf/provider-kubernetes/lib/deployment-v1/index.js';
import { NamespaceV1 } from '@cdktf/provider-kubernetes/lib/namespace-v1/index.js';
import { ServiceV1 } from '@cdktf/provider-kubernetes/lib/service-v1/index.js';
import { Release } from '@cdktf/provider-helm/lib/release/index.js';
import { App, AssetType, LocalBackend, TerraformAsset, TerraformOutput, TerraformStack } from 'cdktf';
import { VirtualCluster } from 'cdktf-vcluster';

const app = new App();
const stack = new TerraformStack(app, 'application');
new LocalBackend(stack, { path: 'terraform.tfstate' });

const team = new VirtualCluster(stack, process.env['TEAM'] ?? 'team-a', {
  policies: { podSecurityStandard: 'baseline' },
});

const shop = new NamespaceV1(stack, 'shop', { provider: team.provider, metadata: { name: 'shop' } });
const namespace = shop.metadata.name;
const labels = { app: 'web' };

new DeploymentV1(stack, 'web', {
  provider: team.provider,
  metadata: { name: 'web', namespace },
  spec: {
    replicas: process.env['REPLICAS'] ?? '2',
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        container: [
          {
            name: 'httpd',
            image: 'docker.io/library/busybox:1.36',
            command: ['httpd', '-f', '-p', '8080'],
            port: [{ containerPort: 8080 }],
          },
        ],
      },
    },
  },
});

new ServiceV1(stack, 'web-service', {
  provider: team.provider,
  metadata: { name: 'web', namespace },
  spec: { selector: labels, port: [{ port: 80, targetPort: '8080' }] },
});

const chart = new TerraformAsset(stack, 'chart', { path: `${import.meta.dirname}/chart`, type: AssetType.DIRECTORY });

new Release(stack, 'greeter', {
  provider: team.helmProvider,
  name: 'greeter',
  chart: chart.path,
  namespace,
  values: [JSON.stringify({ greeting: 'hello from a chart' })],
});

new TerraformOutput(stack, 'web_on_the_host', { value: team.hostNameOf('web', 'shop') });
app.synth();
