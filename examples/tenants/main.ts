/**
 * Twenty tenants from a list, each with a virtual cluster, a quota, Pod Security, a network policy on the host, and its group as
 * admins inside. One wrong line in the list is an error with file, line and reason, before anything is made.
 */
import { App, LocalBackend, TerraformOutput, TerraformStack } from 'cdktf';
import { loadTenants, TenantFleet } from 'cdktf-vcluster';

const app = new App();
const stack = new TerraformStack(app, 'tenants');
new LocalBackend(stack, { path: 'terraform.tfstate' });

const fleet = new TenantFleet(stack, 'fleet', {
  tenants: loadTenants(process.env['TENANTS_FILE'] ?? `${import.meta.dirname}/tenants.yaml`),
  template: (tenant) => ({
    isolation: 'baseline',
    quota: { cpu: tenant.cpu ?? 4, memory: tenant.memory ?? '8Gi', pods: tenant.pods ?? 50 },
    admins: [tenant.group],
    labels: { tenant: tenant.name },
  }),
  // For one apply after a tenant was taken out of the list: LEAVING=labs node main.ts
  leaving: process.env['LEAVING']?.split(',') ?? [],
});

new TerraformOutput(stack, 'endpoints', {
  value: Object.fromEntries(fleet.environments.map((tenant) => [tenant.name, tenant.cluster.endpoint])),
});
app.synth();
