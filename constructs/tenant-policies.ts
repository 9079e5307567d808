/**
 * What a host namespace is fenced in with: quota, defaults for containers, traffic. Policies must never stop the virtual cluster itself:
 * its control plane reaches the host's API server wherever that is, its API server is reached by everybody it knows, and its
 * pods keep the memory they need. Pure: data for the resources of tenant-environment.ts.
 */
import type { NetworkPolicyV1Spec } from '@cdktf/provider-kubernetes/lib/network-policy-v1/index.js';
import type { Quantity } from '../config/option.ts';
import { controlPlaneShare } from './control-plane-share.ts';
import type { ControlPlaneShare } from './control-plane-share.ts';
import { canonical, sum } from './quantities.ts';
import type {
  ContainerAmounts,
  Isolation,
  TenantEnvironmentProps,
  TenantLimits,
  TenantQuota,
} from './tenant-environment-props.ts';
import { Token } from './terraform.ts';
import type { ValuesTree } from './values.ts';

type StringMap = Readonly<Record<string, string>>;

/** Port of the virtual API server in its pod (chart/templates/_control-plane.tpl). */
const apiServerPort = '6443';

/** `hard` of the quota: what the tenant may take, and what its control plane takes. */
export function quotaHard(where: string, quota: TenantQuota, values: ValuesTree): StringMap {
  const share = controlPlaneShare(where, values);
  const entries = quotaRows.flatMap(({ names, from, plus }) => {
    const wanted = from(quota);
    return wanted === undefined
      ? []
      : names.map((name, index) => [name, together(wanted, plus(share)[index])] as const);
  });
  const further = Object.entries(quota.hard ?? {}).map(([key, value]) => [key, together(value, undefined)] as const);
  return Object.fromEntries([...entries, ...further]);
}

/** Each limit, under the names it has in Kubernetes, and what the control plane takes of each. */
const quotaRows: readonly {
  readonly names: readonly string[];
  readonly from: (quota: TenantQuota) => Quantity | undefined;
  readonly plus: (share: ControlPlaneShare) => readonly (Quantity | undefined)[];
}[] = [
  { names: ['requests.cpu'], from: ({ cpu }) => cpu, plus: ({ cpuRequests }) => [cpuRequests] },
  {
    names: ['requests.memory', 'limits.memory'],
    from: ({ memory }) => memory,
    plus: ({ memoryRequests, memoryLimits }) => [memoryRequests, memoryLimits],
  },
  { names: ['requests.storage'], from: ({ storage }) => storage, plus: ({ storage }) => [storage] },
  { names: ['pods'], from: ({ pods }) => pods, plus: () => [1] },
  {
    names: ['persistentvolumeclaims'],
    from: ({ volumes }) => volumes,
    plus: ({ storage }) => [storage === undefined ? 0 : 1],
  },
];

/** What only Terraform knows cannot be added to: it holds for all of the namespace. */
function together(wanted: Quantity, more: Quantity | undefined): string {
  if (Token.isUnresolved(wanted)) return String(wanted);
  return more === undefined ? canonical(wanted) : sum(wanted, more);
}

/** The one item of the limit range. */
export function containerLimits(limits: TenantLimits = {}): object {
  const { max } = limits;
  return {
    type: 'Container',
    default: amounts({ memory: '512Mi', ...limits.default }),
    defaultRequest: amounts({ cpu: '50m', memory: '64Mi', ...limits.defaultRequest }),
    ...(max && { max: amounts(max) }),
  };
}

function amounts(given: ContainerAmounts): StringMap {
  const known = Object.entries(given).filter((entry): entry is [string, Quantity] => entry[1] !== undefined);
  return Object.fromEntries(known.map(([key, value]) => [key, together(value, undefined)]));
}

/** Labels that have the host enforce a Pod Security Standard, and warn of it. */
export function podSecurityLabels(isolation: Isolation): StringMap {
  if (isolation === 'none') return {};
  return {
    'pod-security.kubernetes.io/enforce': isolation,
    'pod-security.kubernetes.io/enforce-version': 'latest',
    'pod-security.kubernetes.io/warn': isolation,
  };
}

/** Addresses that are nobody's on the Internet: other tenants, nodes, the metadata service of a cloud. */
const privateRanges = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
];
const privateRanges6 = ['fc00::/7', 'fe80::/10', '::1/128'];

/** For every pod of the host namespace: from where it is reached, and with `restricted` what it may reach. */
export function tenantTraffic(isolation: Isolation, props: TenantEnvironmentProps): NetworkPolicyV1Spec {
  const named = (namespace: string) => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  });
  const ingress = [{ from: [{ podSelector: {} }, ...(props.ingressFrom ?? []).map(named)] }];
  if (isolation !== 'restricted') return { podSelector: {}, policyTypes: ['Ingress'], ingress };
  const ranges = [
    { ipBlock: { cidr: '0.0.0.0/0', except: privateRanges } },
    { ipBlock: { cidr: '::/0', except: privateRanges6 } },
    ...(props.egressTo ?? []).map((cidr) => ({ ipBlock: { cidr } })),
  ];
  // Name servers are not always in kube-system: some hosts have one on every node.
  const nameServers = ['UDP', 'TCP'].map((protocol) => ({ port: '53', protocol }));
  const egress = [{ to: [{ podSelector: {} }] }, { ports: nameServers }, { to: ranges }];
  return { podSelector: {}, policyTypes: ['Ingress', 'Egress'], ingress, egress };
}

/**
 * For the control plane alone: its API server is reached from everywhere, which it can judge itself, and it reaches everything, because
 * nobody knows here at which addresses the host's API server is.
 */
export function controlPlaneTraffic(isolation: Isolation, name: string): NetworkPolicyV1Spec {
  const podSelector = {
    matchLabels: { app: 'vcluster', release: name },
    // A tenant may label his pods as he likes. This label is the syncer's alone, and it is on every one of them.
    matchExpressions: [{ key: 'vcluster.loft.sh/managed-by', operator: 'DoesNotExist' }],
  };
  const ingress = [{ ports: [{ port: apiServerPort, protocol: 'TCP' }] }];
  if (isolation !== 'restricted') return { podSelector, policyTypes: ['Ingress'], ingress };
  return { podSelector, policyTypes: ['Ingress', 'Egress'], ingress, egress: [{}] };
}
