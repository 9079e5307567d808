/**
 * A preview environment for one pull request: a virtual cluster, the application in the version of the pull request, and a URL. CI
 * applies it when the pull request is opened or pushed to and destroys it when it is closed; the host says until when it is wanted.
 *
 * PR, IMAGE and EXPIRES come from the workflow (README.md). A time that is read here would change with every plan.
 */
import { DeploymentV1 } from '@cdktf/provider-kubernetes/lib/deployment-v1/index.js';
import { IngressV1 } from '@cdktf/provider-kubernetes/lib/ingress-v1/index.js';
import { ServiceV1 } from '@cdktf/provider-kubernetes/lib/service-v1/index.js';
import { App, LocalBackend, TerraformOutput, TerraformStack } from 'cdktf';
import { VirtualCluster } from 'cdktf-vcluster';

const { PR, IMAGE, EXPIRES, DOMAIN = 'preview.example.com' } = process.env;
if (!/^\d+$/.test(PR ?? '')) throw new Error(`PR must be the number of a pull request, got: ${PR}`);
if (Number.isNaN(Date.parse(EXPIRES ?? '')))
  throw new Error(`EXPIRES must be a time such as 2026-12-01T18:00:00Z, got: ${EXPIRES}`);

const app = new App();
const stack = new TerraformStack(app, `pr-${PR}`);
new LocalBackend(stack, { path: 'terraform.tfstate' });

const preview = new VirtualCluster(stack, `pr-${PR}`, {
  // By this label the sweeper finds all previews, by the annotation those that nobody wants any more.
  labels: { preview: 'true' },
  namespaceAnnotations: { 'preview.example.com/expires': String(EXPIRES) },
});

// Without an image, a web server to look at. What is run listens on port 8080.
const demo = { image: 'docker.io/library/busybox:1.36', command: ['httpd', '-f', '-p', '8080'] };
const labels = { app: 'web' };
new DeploymentV1(stack, 'web', {
  provider: preview.provider,
  metadata: { name: 'web' },
  spec: {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        container: [
          { name: 'web', ...(IMAGE === undefined ? demo : { image: IMAGE }), port: [{ containerPort: 8080 }] },
        ],
      },
    },
  },
});
const service = new ServiceV1(stack, 'service', {
  provider: preview.provider,
  metadata: { name: 'web' },
  spec: { selector: labels, port: [{ port: 80, targetPort: '8080' }] },
});

// On the host, where the ingress controller is, in front of the host's copy of the Service.
const host = `pr-${PR}.${DOMAIN}`;
new IngressV1(stack, 'ingress', {
  metadata: { name: 'web', namespace: preview.namespace },
  spec: {
    rule: [
      {
        host,
        http: {
          path: [
            {
              path: '/',
              pathType: 'Prefix',
              backend: { service: { name: preview.hostNameOf('web', 'default'), port: { number: 80 } } },
            },
          ],
        },
      },
    ],
  },
  dependsOn: [service],
});

new TerraformOutput(stack, 'url', { value: `http://${host}/` });
new TerraformOutput(stack, 'expires', { value: String(EXPIRES) });
app.synth();
