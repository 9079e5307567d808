/** The stack of quickstart-native.node.test.ts: examples/quickstart/native.ts under a name that nobody else on the host uses. */
import { App, LocalBackend, TerraformOutput, TerraformStack } from 'cdktf';
import { Provisioner, VirtualCluster } from 'cdktf-vcluster';

const app = new App();
const stack = new TerraformStack(app, 'quickstart');
new LocalBackend(stack, { path: 'terraform.tfstate' });

const team = new VirtualCluster(stack, 'qs-native', { provisioner: Provisioner.native() });

new TerraformOutput(stack, 'namespace', { value: team.namespace });
new TerraformOutput(stack, 'kubeconfig_secret', { value: team.kubeconfigSecret.name });
app.synth();
