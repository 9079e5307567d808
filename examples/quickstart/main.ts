/**
 * The smallest stack with a virtual cluster in it. Copy this folder and begin here.
 * The host cluster is the one of KUBE_CONFIG_PATH, or else of the current kubeconfig context.
 */
import { App, LocalBackend, TerraformOutput, TerraformStack } from 'cdktf';
import { VirtualCluster } from 'cdktf-vcluster';

const app = new App();
const stack = new TerraformStack(app, 'quickstart');
new LocalBackend(stack, { path: 'terraform.tfstate' });

const team = new VirtualCluster(stack, 'team-a');

new TerraformOutput(stack, 'namespace', { value: team.namespace });
new TerraformOutput(stack, 'kubeconfig_secret', { value: team.kubeconfigSecret.name });
app.synth();
