/**
 * The stack of apply.node.test.ts: a tenant's environment by each provisioner, each with an application and a manifest inside, in
 * one apply, and with all of its fences, so that they are seen to stop nothing. LEVEL changes a value of both.
 */
import { DeploymentV1 } from '@cdktf/provider-kubernetes/lib/deployment-v1/index.js';
import { App, LocalBackend, TerraformOutput, TerraformStack } from 'cdktf';
import { Provisioner, TenantEnvironment } from 'cdktf-vcluster';
import type { Values } from 'cdktf-vcluster';

const app = new App();
const stack = new TerraformStack(app, 'both');
new LocalBackend(stack, { path: 'terraform.tfstate' });

const { LEVEL = 'info' } = process.env;
const values = { logging: { level: LEVEL } } as Values;

const environments = ([Provisioner.helm(), Provisioner.native()] as const).map(
  (provisioner) =>
    new TenantEnvironment(stack, `cx-${provisioner.choice.kind}`, {
      provisioner,
      isolation: 'restricted',
      quota: { cpu: 2, memory: '2Gi', pods: 10, volumes: 2 },
      admins: ['cx-admins'],
      labels: { 'cx.example.org/by': provisioner.choice.kind },
      ...values,
    }),
);

for (const { cluster } of environments) {
  const labels = { app: 'web' };
  new DeploymentV1(stack, `${cluster.name}-web`, {
    provider: cluster.provider,
    metadata: { name: 'web' },
    spec: {
      replicas: '1',
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          securityContext: { runAsNonRoot: true, runAsUser: '65534', seccompProfile: { type: 'RuntimeDefault' } },
          container: [
            {
              name: 'web',
              image: 'docker.io/library/busybox:1.36',
              imagePullPolicy: 'IfNotPresent',
              command: ['sleep', '1d'],
              securityContext: {
                // The provider writes false where nothing is said.
                runAsNonRoot: true,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        },
      },
    },
  });
  cluster.addManifest('motd', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'motd' },
    data: { run: 'echo "${HOME}" %{ if } \\d\n', server: `at "${cluster.endpoint}"` },
  });
  new TerraformOutput(stack, `of-${cluster.name}`, {
    value: {
      secret: cluster.kubeconfigSecret,
      endpoint: cluster.endpoint,
      host: cluster.hostNameOf('motd', 'default'),
    },
  });
}
app.synth();
