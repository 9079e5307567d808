/**
 * Many tenants from one list and one template. Each is an environment of its own under its own name, so adding one to the list, or taking
 * one out of the middle, touches no other.
 */
import { Construct } from 'constructs';
import { TenantEnvironment } from './tenant-environment.ts';
import type { TenantEnvironmentProps } from './tenant-environment-props.ts';
import { tryPlaceOf } from './tenants-file.ts';
import type { Tenant } from './tenants-file.ts';
import { VirtualCluster } from './virtual-cluster.ts';
import type { ExistingVirtualCluster } from './virtual-cluster.ts';

/** A {@link TenantEnvironment}, or a class of your own made from it. */
export type TenantEnvironmentClass = new (
  scope: Construct,
  id: string,
  props: TenantEnvironmentProps,
) => TenantEnvironment;

/** Options of a {@link TenantFleet}. */
export interface TenantFleetProps<T extends Tenant> {
  /** The tenants: a list of the program, or `loadTenants('tenants.yaml')`. */
  readonly tenants: readonly T[];

  /**
   * What a tenant gets.
   * @default - the defaults of TenantEnvironment
   */
  readonly template?: (tenant: T) => TenantEnvironmentProps;

  /**
   * What makes the environment of a tenant.
   * @default TenantEnvironment
   */
  readonly environment?: TenantEnvironmentClass;

  /**
   * Tenants that were taken out of the list and are still to be removed. Terraform needs a way into a virtual cluster to remove what it
   * has made inside, and without this it refuses with "Provider configuration not present". Leave a name here for one apply.
   * @default - none
   */
  readonly leaving?: readonly (string | LeavingTenant)[];
}

/** A tenant on its way out, where its namespace or its host is not the default. */
export type LeavingTenant = ExistingVirtualCluster;

/**
 * Environments for a list of tenants.
 *
 * ```ts
 * const tenants = [
 *   { name: 'team-a', cpu: 4, group: 'oidc:team-a' },
 *   { name: 'team-b', cpu: '500m', group: 'oidc:team-b' },
 * ];
 * const fleet = new TenantFleet(stack, 'tenants', {
 *   tenants,
 *   template: (tenant) => ({ isolation: 'baseline', quota: { cpu: tenant.cpu, memory: '16Gi' }, admins: [tenant.group] }),
 * });
 * new TerraformOutput(stack, 'team_a', { value: fleet.findEnvironment('team-a').namespace });
 * ```
 */
export class TenantFleet<T extends Tenant = Tenant> extends Construct {
  /** In the order of the list. */
  readonly environments: readonly TenantEnvironment[];

  constructor(scope: Construct, id: string, props: TenantFleetProps<T>) {
    super(scope, id);
    const problems: string[] = [];
    this.environments = props.tenants.flatMap((tenant) => {
      try {
        this.refuseDuplicate(tenant);
        return [this.createEnvironment(tenant, props)];
      } catch (error) {
        problems.push(told(tenant, this.node.path, error));
        return [];
      }
    });
    for (const tenant of props.leaving ?? []) {
      this.keepWayInto(typeof tenant === 'string' ? { name: tenant } : tenant);
    }
    if (problems.length > 0) {
      throw new Error(
        `${this.node.path}: not every tenant can be used; nothing was synthesised.\n${problems.join('\n')}`,
      );
    }
  }

  /** The environment of that tenant; throws when there is none. */
  findEnvironment(name: string): TenantEnvironment {
    const found = this.tryFindEnvironment(name);
    if (found !== undefined) return found;
    const names = this.environments.map((environment) => environment.name).join(', ');
    throw new Error(`${this.node.path}: the tenant must be one of ${names}, got: ${JSON.stringify(name)}`);
  }

  /** The environment of that tenant. */
  tryFindEnvironment(name: string): TenantEnvironment | undefined {
    return this.environments.find((environment) => environment.name === name);
  }

  /** Makes the environment of one tenant. */
  protected createEnvironment(tenant: T, props: TenantFleetProps<T>): TenantEnvironment {
    const { template = () => ({}), environment: Environment = TenantEnvironment } = props;
    return new Environment(this, tenant.name, { name: tenant.name, ...template(tenant) });
  }

  /** Under the path, and so the aliases, that the environment had. */
  private keepWayInto(tenant: LeavingTenant): void {
    if (this.node.tryFindChild(tenant.name) !== undefined) {
      throw new Error(
        `${this.node.path}: leaving: tenant "${tenant.name}" is in the list as well; take it out of one of them`,
      );
    }
    const cluster = VirtualCluster.fromName(new Construct(this, tenant.name), 'cluster', tenant);
    // Made at first use.
    void [cluster.provider, cluster.helmProvider];
  }

  private refuseDuplicate({ name }: T): void {
    if (this.node.tryFindChild(name) !== undefined) throw new Error('its name must be there once, got: twice');
  }
}

/** Construct paths mean little to whoever wrote the list: the place in it comes first. */
function told(tenant: Tenant, path: string, error: unknown): string {
  const place = tryPlaceOf(tenant);
  const message = error instanceof Error ? error.message : String(error);
  const reason = message.replace(`${path}/${tenant.name}: `, '');
  return `${place === undefined ? '' : `${place}: `}tenant "${tenant.name}": ${reason}`;
}
