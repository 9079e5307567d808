/** The stack that bench/provider.ts plans and applies: virtual clusters named in TENANTS, by the provisioner named in PROVISIONER. */
import { App, LocalBackend, TerraformStack } from 'cdktf';
import { Provisioner, VirtualCluster } from 'cdktf-vcluster';

const app = new App();
const stack = new TerraformStack(app, 'tenants');
new LocalBackend(stack, { path: 'terraform.tfstate' });

const provisioner = process.env['PROVISIONER'] === 'helm' ? Provisioner.helm() : Provisioner.native();
for (const name of (process.env['TENANTS'] ?? '').split(',')) new VirtualCluster(stack, name, { provisioner });
app.synth();
