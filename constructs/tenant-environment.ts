/**
 * Everything a tenant gets, as one construct: a host namespace with its fences, the virtual cluster in it, who may do what inside, and
 * what runs there from the start. The fences stand before the virtual cluster is made. Each part is made by a method of its own, so that a
 * platform team can change one and keep the rest.
 */
import type { ClusterRoleBindingV1 } from '@cdktf/provider-kubernetes/lib/cluster-role-binding-v1/index.js';
import { Construct } from 'constructs';
import { binding } from './bindings.ts';
import { mustBe } from './checks.ts';
import { controlPlaneLimits, tryTooBig } from './control-plane-share.ts';
import { ensureHostProviders } from './host-providers.ts';
import { checkTenantProps, clusterProps } from './tenant-environment-props.ts';
import type { Isolation, TenantEnvironmentProps } from './tenant-environment-props.ts';
import {
  containerLimits,
  controlPlaneTraffic,
  podSecurityLabels,
  quotaHard,
  tenantTraffic,
} from './tenant-policies.ts';
import { TerraformStack } from './terraform.ts';
import type { ITerraformDependable } from './terraform.ts';
import { mergeMaps, mergeValues } from './values.ts';
import { VirtualCluster } from './virtual-cluster.ts';
import { checkProps, chartValues } from './virtual-cluster-props.ts';

/** Groups of the props, and the role each gets. Kubernetes has these roles in every cluster. */
const roles = [
  { groups: 'admins', role: 'cluster-admin' },
  { groups: 'editors', role: 'edit' },
  { groups: 'viewers', role: 'view' },
] as const;

/**
 * A tenant's environment: namespace with quota, limits, network policies and Pod Security, virtual cluster, access, first workloads.
 *
 * ```ts
 * const team = new TenantEnvironment(stack, 'team-a', {
 *   isolation: 'restricted',
 *   quota: { cpu: 4, memory: '16Gi', pods: 50 },
 *   admins: ['oidc:team-a'],
 *   ingressFrom: ['ingress-nginx'],
 *   manifests: { welcome: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'app' } } },
 * });
 * new TerraformOutput(stack, 'endpoint', { value: team.cluster.endpoint });
 * ```
 *
 * What is the same for all tenants goes into a class of your own:
 *
 * ```ts
 * class OurTenant extends TenantEnvironment {
 *   protected override createWorkloads(props: TenantEnvironmentProps): void {
 *     super.createWorkloads(props);
 *     this.cluster.addManifest('app', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'app' } });
 *   }
 * }
 * new OurTenant(stack, 'team-a', { quota: { memory: '8Gi' } });
 * ```
 */
export class TenantEnvironment extends Construct {
  /** Name of the tenant, and of its virtual cluster. */
  readonly name: string;
  /** The host namespace. */
  readonly namespace: string;
  /** The virtual cluster. */
  readonly cluster: VirtualCluster;

  constructor(scope: Construct, id: string, props: TenantEnvironmentProps = {}) {
    super(scope, id);
    this.name = props.name ?? id;
    checkProps(this.node.path, this.name, clusterProps(props));
    checkTenantProps(this.node.path, props);
    if (props.hostProvider === undefined) ensureHostProviders(TerraformStack.of(this), ['kubernetes']);
    this.namespace = this.createNamespace(props);
    const fences = this.createFences(this.withLimits(props));
    this.cluster = this.createCluster(this.withLimits(props), fences);
    this.createAccess(props);
    this.createWorkloads(props);
  }

  /** Makes the host namespace, with Pod Security enforced, unless it is there already. */
  protected createNamespace(props: TenantEnvironmentProps): string {
    const name = props.namespace ?? this.name;
    if (props.namespaceLifecycle === 'keep') return name;
    const { NamespaceV1 } = binding('@cdktf/provider-kubernetes/lib/namespace-v1/index.js');
    const labels = mergeMaps(podSecurityLabels(isolationOf(props)), props.labels, props.namespaceLabels);
    const namespace = new NamespaceV1(this, 'namespace', {
      ...onHost(props),
      metadata: {
        name,
        ...(Object.keys(labels).length > 0 && { labels }),
        ...(props.namespaceAnnotations && { annotations: { ...props.namespaceAnnotations } }),
      },
      ...(props.deletionProtection === true && { lifecycle: { preventDestroy: true } }),
    });
    return namespace.metadata.name;
  }

  /** Makes everything that has to stand before the virtual cluster; returns it. */
  protected createFences(props: TenantEnvironmentProps): readonly ITerraformDependable[] {
    return [...this.createLimits(props), ...this.createQuota(props), ...this.createNetworkPolicies(props)];
  }

  /** Makes the limit range: what containers get that do not say what they want. */
  protected createLimits(props: TenantEnvironmentProps): readonly ITerraformDependable[] {
    if (!hasLimits(props)) return [];
    this.refuseStarvation(props);
    const { LimitRangeV1 } = binding('@cdktf/provider-kubernetes/lib/limit-range-v1/index.js');
    const spec = { limit: [containerLimits(props.limits)] };
    return [new LimitRangeV1(this, 'limits', { ...onHost(props), metadata: this.metadata('tenant', props), spec })];
  }

  /** The host would refuse the control plane's pod, and the apply end in a timeout. */
  private refuseStarvation(props: TenantEnvironmentProps): void {
    const max = props.limits?.max?.memory;
    if (max === undefined) return;
    const tooBig = tryTooBig(max, chartValues(this.node.path, clusterProps(props)));
    if (tooBig === undefined) return;
    const least = `at least ${tooBig.memory}, which ${tooBig.path} of the control plane gives a container`;
    throw mustBe(`${this.node.path}: limits.max.memory`, least, max);
  }

  /** Makes the quota, the control plane's share included. */
  protected createQuota(props: TenantEnvironmentProps): readonly ITerraformDependable[] {
    if (props.quota === undefined) return [];
    const { ResourceQuotaV1 } = binding('@cdktf/provider-kubernetes/lib/resource-quota-v1/index.js');
    const values = chartValues(this.node.path, clusterProps(props));
    const spec = { hard: { ...quotaHard(this.node.path, props.quota, values) } };
    return [new ResourceQuotaV1(this, 'quota', { ...onHost(props), metadata: this.metadata('tenant', props), spec })];
  }

  /** Makes the network policies: one for every pod of the namespace, one for the control plane. */
  protected createNetworkPolicies(props: TenantEnvironmentProps): readonly ITerraformDependable[] {
    const isolation = isolationOf(props);
    if (isolation === 'none') return [];
    const { NetworkPolicyV1 } = binding('@cdktf/provider-kubernetes/lib/network-policy-v1/index.js');
    const specs = {
      tenant: tenantTraffic(isolation, props),
      'control-plane': controlPlaneTraffic(isolation, this.name),
    };
    return Object.entries(specs).map(
      ([name, spec]) =>
        new NetworkPolicyV1(this, `${name}-traffic`, { ...onHost(props), metadata: this.metadata(name, props), spec }),
    );
  }

  /** Makes the virtual cluster, after the fences. */
  protected createCluster(props: TenantEnvironmentProps, fences: readonly ITerraformDependable[]): VirtualCluster {
    const { namespaceLabels: _labels, namespaceAnnotations: _annotations, ...rest } = clusterProps(props);
    return new VirtualCluster(this, 'cluster', {
      ...rest,
      name: this.name,
      namespace: this.namespace,
      namespaceLifecycle: 'keep',
      dependsOn: [...fences, ...(props.dependsOn ?? [])],
    });
  }

  /** Binds the groups to their roles inside. */
  protected createAccess(props: TenantEnvironmentProps): readonly ClusterRoleBindingV1[] {
    const { ClusterRoleBindingV1 } = binding('@cdktf/provider-kubernetes/lib/cluster-role-binding-v1/index.js');
    const apiGroup = 'rbac.authorization.k8s.io';
    return roles
      .filter(({ groups }) => (props[groups] ?? []).length > 0)
      .map(
        ({ groups, role }) =>
          new ClusterRoleBindingV1(this, groups, {
            provider: this.cluster.provider,
            metadata: { name: `tenant-${groups}`, ...(props.labels && { labels: { ...props.labels } }) },
            roleRef: { apiGroup, kind: 'ClusterRole', name: role },
            subject: (props[groups] ?? []).map((name) => ({ apiGroup, kind: 'Group', name })),
          }),
      );
  }

  /** Puts the first workloads inside. */
  protected createWorkloads(props: TenantEnvironmentProps): void {
    for (const [id, manifest] of Object.entries(props.manifests ?? {})) this.cluster.addManifest(id, manifest);
  }

  /** Metadata of an object of the host namespace. */
  protected metadata(
    name: string,
    props: TenantEnvironmentProps,
  ): { name: string; namespace: string; labels?: Record<string, string> } {
    return { name, namespace: this.namespace, ...(props.labels && { labels: { ...props.labels } }) };
  }

  /**
   * Where a LimitRange or a quota of memory is, the control plane gets limits of its own; and what the host enforces, the tenant is told
   * inside, unless the props say otherwise.
   */
  private withLimits(props: TenantEnvironmentProps): TenantEnvironmentProps {
    const given = chartValues(this.node.path, clusterProps(props));
    const standard = isolationOf(props) === 'none' ? 'privileged' : isolationOf(props);
    const defaults = mergeValues(
      { policies: { podSecurityStandard: standard } },
      hasLimits(props) ? controlPlaneLimits(given) : {},
    );
    // All options as properties: what was given as `values` or `kubernetesVersion` is in `given`.
    const { values: _values, kubernetesVersion: _version, ...rest } = props;
    return { ...rest, ...mergeValues(defaults, given) };
  }
}

function isolationOf({ isolation = 'baseline' }: TenantEnvironmentProps): Isolation {
  return isolation;
}

function hasLimits(props: TenantEnvironmentProps): boolean {
  return isolationOf(props) !== 'none' || props.limits !== undefined || props.quota !== undefined;
}

function onHost({ hostProvider }: TenantEnvironmentProps) {
  return hostProvider === undefined ? {} : { provider: hostProvider };
}
