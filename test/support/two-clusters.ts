/**
 * The stack of quickstart.node.test.ts: one virtual cluster that owns its namespace and one in a namespace that is there
 * already. What is wrong on purpose comes in PROPS, as JSON, and makes a third one.
 */
import { App, LocalBackend, TerraformOutput, TerraformStack } from 'cdktf';
import { VirtualCluster } from 'cdktf-vcluster';

const app = new App();
const stack = new TerraformStack(app, process.env['STACK'] ?? 'two');
new LocalBackend(stack, { path: 'terraform.tfstate' });

if (process.env['PROPS'] === undefined) {
  const own = new VirtualCluster(stack, 'qs-own');
  new VirtualCluster(stack, 'qs-guest', { namespace: 'qs-shared', namespaceLifecycle: 'keep' });
  new TerraformOutput(stack, 'namespace', { value: own.namespace });
  new TerraformOutput(stack, 'secret', { value: own.kubeconfigSecret.name });
} else {
  new VirtualCluster(stack, 'wrong', JSON.parse(process.env['PROPS']));
}
app.synth();
