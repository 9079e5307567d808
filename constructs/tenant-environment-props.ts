/** The options of a tenant's environment, and what is refused about them at synthesis. */
import { isIP } from 'node:net';
import type { Quantity } from '../config/option.ts';
import { mustBe } from './checks.ts';
import type { ManifestSource } from './manifests.ts';
import { tryThousandths } from './quantities.ts';
import { Token } from './terraform.ts';
import type { VirtualClusterProps } from './virtual-cluster-props.ts';

/**
 * How far tenants are kept apart on the host. `baseline`: Pod Security `baseline`, no traffic into the namespace from others, default
 * requests and limits. `restricted`: Pod Security `restricted`, and out of the namespace only to name servers and public addresses.
 */
export type Isolation = 'none' | 'baseline' | 'restricted';

/**
 * What the tenant's pods may take, all of them together. What the control plane takes itself is added, but not to what only Terraform
 * knows, which holds for the namespace as it is.
 */
export interface TenantQuota {
  /**
   * Requests of processor time.
   * @default - not limited
   */
  readonly cpu?: Quantity | undefined;
  /**
   * Memory: the requests of all pods, and their limits as well, because a pod without a limit would take what it wants.
   * @default - not limited
   */
  readonly memory?: Quantity | undefined;
  /**
   * Requests of volumes.
   * @default - not limited
   */
  readonly storage?: Quantity | undefined;
  /**
   * @default - not limited
   */
  readonly pods?: number | undefined;
  /**
   * Number of volumes.
   * @default - not limited
   */
  readonly volumes?: number | undefined;
  /**
   * Further limits under Kubernetes' own names, such as `services.loadbalancers`. They hold for the host namespace as it is, control
   * plane included, and win over those above.
   * @default - none
   */
  readonly hard?: Readonly<Record<string, Quantity>> | undefined;
}

/** Requests and limits of a container. */
export interface ContainerAmounts {
  /**
   * @default - none
   */
  readonly cpu?: Quantity | undefined;
  /**
   * @default - none
   */
  readonly memory?: Quantity | undefined;
}

/** What containers of the host namespace get that do not say what they want, and how much one may want. */
export interface TenantLimits {
  /**
   * Limits of a container that has none.
   * @default - memory 512Mi
   */
  readonly default?: ContainerAmounts | undefined;
  /**
   * Requests of a container that has none.
   * @default - cpu 50m, memory 64Mi
   */
  readonly defaultRequest?: ContainerAmounts | undefined;
  /**
   * The most a container may be given. The containers of the control plane must fit as well: its API server is given 2Gi of memory.
   * @default - no maximum
   */
  readonly max?: ContainerAmounts | undefined;
}

/** What a tenant's environment has beyond a virtual cluster. */
export interface TenantProps {
  /**
   * How far the tenant is kept apart from others on the host.
   * @default 'baseline'
   */
  readonly isolation?: Isolation | undefined;

  /**
   * What the tenant's pods may take, all of them together.
   * @default - not limited
   */
  readonly quota?: TenantQuota | undefined;

  /**
   * Defaults and maximum for a single container.
   * @default - memory 512Mi at most, 64Mi and 50m requested; nothing when `isolation` is `none` and there is no quota
   */
  readonly limits?: TenantLimits | undefined;

  /**
   * Groups that may do everything inside.
   * @default - none
   */
  readonly admins?: readonly string[] | undefined;

  /**
   * Groups that may change all but roles and quotas inside.
   * @default - none
   */
  readonly editors?: readonly string[] | undefined;

  /**
   * Groups that may look at everything but Secrets inside.
   * @default - none
   */
  readonly viewers?: readonly string[] | undefined;

  /**
   * Namespaces of the host whose pods may reach the tenant's, such as that of the ingress controller or of monitoring.
   * @default - none
   */
  readonly ingressFrom?: readonly string[] | undefined;

  /**
   * Address ranges that the tenant's pods may reach although `isolation` is `restricted`, such as `10.20.0.0/16`.
   * @default - none
   */
  readonly egressTo?: readonly string[] | undefined;

  /**
   * First workloads inside: manifests by id, as for `VirtualCluster.addManifest`.
   * @default - none
   */
  readonly manifests?: Readonly<Record<string, ManifestSource>> | undefined;
}

/** Options of a {@link TenantEnvironment}: those below and those of its virtual cluster. */
export interface TenantEnvironmentProps extends TenantProps, VirtualClusterProps {}

const tenantKeys: Readonly<Record<keyof TenantProps, true>> = {
  isolation: true,
  quota: true,
  limits: true,
  admins: true,
  editors: true,
  viewers: true,
  ingressFrom: true,
  egressTo: true,
  manifests: true,
};

/** The options of the virtual cluster alone. */
export function clusterProps(props: TenantEnvironmentProps): VirtualClusterProps {
  return Object.fromEntries(Object.entries(props).filter(([key]) => !Object.hasOwn(tenantKeys, key)));
}

const isolations: Readonly<Record<Isolation, true>> = { none: true, baseline: true, restricted: true };

/** Throws for anything about `props` that cannot work; `where` is the construct's path. */
export function checkTenantProps(where: string, props: TenantEnvironmentProps): void {
  const { isolation = 'baseline', limits = {} } = props;
  if (!Object.hasOwn(isolations, isolation)) {
    throw mustBe(`${where}: isolation`, `one of ${Object.keys(isolations).join(', ')}`, isolation);
  }
  checkHost(where, props);
  checkQuota(`${where}: quota`, props.quota);
  checkLimits(`${where}: limits`, limits);
  for (const key of ['admins', 'editors', 'viewers', 'ingressFrom', 'egressTo'] as const) {
    checkNames(`${where}: ${key}`, props[key]);
  }
  checkRanges(`${where}: egressTo`, props.egressTo);
}

/** Policies are made by the kubernetes provider of the host, so it must be able to, and on the same cluster as all else. */
function checkHost(where: string, props: TenantEnvironmentProps): void {
  if (props.namespaceLifecycle === 'adopt') {
    throw mustBe(`${where}: namespaceLifecycle`, '"create" or "keep", because policies are put into it', 'adopt');
  }
  const other = props.hostHelmProvider ?? props.hostVclusterProvider;
  if (props.hostProvider === undefined && other !== undefined) {
    throw new Error(`${where}: hostProvider must be given as well: the policies of the namespace are made with it`);
  }
}

const quotaQuantities = ['cpu', 'memory', 'storage'] as const;
const quotaCounts = ['pods', 'volumes'] as const;

function checkQuota(where: string, quota: TenantQuota | undefined): void {
  if (quota === undefined) return;
  checkKeys(where, quota, [...quotaQuantities, ...quotaCounts, 'hard'], " (Kubernetes' own names go under hard)");
  for (const key of quotaQuantities) checkQuantity(`${where}.${key}`, quota[key]);
  for (const [key, value] of Object.entries(quota.hard ?? {})) checkQuantity(`${where}.hard.${key}`, value);
  for (const key of quotaCounts) checkCount(`${where}.${key}`, quota[key]);
}

const limitParts = ['default', 'defaultRequest', 'max'] as const;

function checkLimits(where: string, limits: TenantLimits): void {
  checkKeys(where, limits, limitParts);
  for (const part of limitParts) {
    checkKeys(`${where}.${part}`, limits[part] ?? {}, ['cpu', 'memory']);
    for (const [key, value] of Object.entries(limits[part] ?? {})) checkQuantity(`${where}.${part}.${key}`, value);
  }
}

/** A misspelt key would be a limit that nobody sets. */
function checkKeys(where: string, given: object, known: readonly string[], hint = ''): void {
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) throw mustBe(`${where}: a key`, `one of ${known.join(', ')}${hint}`, unknown);
}

function checkRanges(where: string, ranges: readonly string[] | undefined): void {
  const wrong = ranges?.find((range) => !Token.isUnresolved(range) && !isRange(range));
  if (wrong !== undefined) throw mustBe(where, 'a list of address ranges such as 10.20.0.0/16', wrong);
}

function isRange(range: string): boolean {
  const [address = '', bits = ''] = range.split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  return isIP(address) !== 0 && /^\d+$/.test(bits) && Number(bits) <= most && range.split('/').length === 2;
}

function checkQuantity(where: string, value: Quantity | undefined): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  if (tryThousandths(value) === undefined) throw mustBe(where, 'a quantity such as 500m, 2 or 16Gi', value);
}

function checkCount(where: string, value: number | undefined): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  if (!Number.isInteger(value) || value < 0) throw mustBe(where, 'a whole number, 0 or more', value);
}

function checkNames(where: string, names: readonly string[] | undefined): void {
  if (names === undefined) return;
  if (!Array.isArray(names)) throw mustBe(where, 'a list', names);
  // Each is a block of its own. Single names may be Terraform's.
  if (Token.isUnresolved(names)) throw new Error(`${where} must be a list whose length is known at synthesis`);
  const wrong = names.find((name) => !Token.isUnresolved(name) && (typeof name !== 'string' || name.trim() === ''));
  if (wrong !== undefined) throw mustBe(where, 'a list of names', names);
}
