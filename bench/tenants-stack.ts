/**
 * The stack that bench/tenants.ts plans and applies, for the tenants named in TENANTS: a virtual cluster each, by our own provider
 * (FORM=clusters), or the whole environment of examples/tenants, by our own provider (fleet-native) or by Helm's (fleet-helm).
 */
import { App, LocalBackend, TerraformStack } from 'cdktf';
import { Provisioner, TenantFleet, VirtualCluster } from 'cdktf-vcluster';

const app = new App();
const stack = new TerraformStack(app, 'tenants');
new LocalBackend(stack, { path: 'terraform.tfstate' });

const names = (process.env['TENANTS'] ?? '').split(',');
const form = process.env['FORM'];
if (form === 'clusters') {
  for (const name of names) new VirtualCluster(stack, name, { provisioner: Provisioner.native() });
} else {
  new TenantFleet(stack, 'fleet', {
    tenants: names.map((name) => ({ name })),
    template: ({ name }) => ({
      provisioner: form === 'fleet-native' ? Provisioner.native() : Provisioner.helm(),
      isolation: 'baseline',
      quota: { cpu: 4, memory: '8Gi', pods: 50 },
      admins: [`oidc:${name}`],
    }),
  });
}
app.synth();
