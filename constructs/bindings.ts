/**
 * The classes of the stock providers, each loaded when it is first used: whoever provisions with our own provider need not have
 * the others installed, and importing this package costs next to nothing. Loaded file by file, because the bindings' barrels
 * cost seconds and hundreds of megabytes.
 */
import { createRequire } from 'node:module';
import type * as HelmProviderModule from '@cdktf/provider-helm/lib/provider/index.js';
import type * as ReleaseModule from '@cdktf/provider-helm/lib/release/index.js';
import type * as ClusterRoleBindingModule from '@cdktf/provider-kubernetes/lib/cluster-role-binding-v1/index.js';
import type * as LimitRangeModule from '@cdktf/provider-kubernetes/lib/limit-range-v1/index.js';
import type * as NamespaceModule from '@cdktf/provider-kubernetes/lib/namespace-v1/index.js';
import type * as NetworkPolicyModule from '@cdktf/provider-kubernetes/lib/network-policy-v1/index.js';
import type * as KubernetesProviderModule from '@cdktf/provider-kubernetes/lib/provider/index.js';
import type * as ResourceQuotaModule from '@cdktf/provider-kubernetes/lib/resource-quota-v1/index.js';

/** What each name is in its package; a new binding is a line here and an import above. */
interface Bindings {
  readonly '@cdktf/provider-helm/lib/provider/index.js': typeof HelmProviderModule;
  readonly '@cdktf/provider-helm/lib/release/index.js': typeof ReleaseModule;
  readonly '@cdktf/provider-kubernetes/lib/cluster-role-binding-v1/index.js': typeof ClusterRoleBindingModule;
  readonly '@cdktf/provider-kubernetes/lib/limit-range-v1/index.js': typeof LimitRangeModule;
  readonly '@cdktf/provider-kubernetes/lib/namespace-v1/index.js': typeof NamespaceModule;
  readonly '@cdktf/provider-kubernetes/lib/network-policy-v1/index.js': typeof NetworkPolicyModule;
  readonly '@cdktf/provider-kubernetes/lib/provider/index.js': typeof KubernetesProviderModule;
  readonly '@cdktf/provider-kubernetes/lib/resource-quota-v1/index.js': typeof ResourceQuotaModule;
}

const load = createRequire(import.meta.url);

/** The module of that name; throws with the command to run when its package is not installed. */
export function binding<N extends keyof Bindings>(name: N): Bindings[N] {
  try {
    return load(name) as Bindings[N];
  } catch (error) {
    if (!isMissing(error)) throw error;
    const [scope, unscoped] = name.split('/');
    const why = 'It is needed for what this program makes with the stock providers of Terraform.';
    throw new Error(`${scope}/${unscoped} is not installed. ${why} Run: npm install ${scope}/${unscoped}`, {
      cause: error,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
}
