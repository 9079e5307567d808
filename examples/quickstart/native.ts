/**
 * The stack of main.ts by our own provider: Terraform needs no other, and finds drift. `npm run provider:install` puts the
 * provider where Terraform looks for it.
 */
import { App, LocalBackend, TerraformOutput, TerraformStack } from 'cdktf';
import { Provisioner, VirtualCluster } from 'cdktf-vcluster';

const app = new App();
const stack = new TerraformStack(app, 'quickstart');
new LocalBackend(stack, { path: 'terraform.tfstate' });

const team = new VirtualCluster(stack, 'team-a', { provisioner: Provisioner.native() });

new TerraformOutput(stack, 'namespace', { value: team.namespace });
new TerraformOutput(stack, 'kubeconfig_secret', { value: team.kubeconfigSecret.name });
app.synth();
