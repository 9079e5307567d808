/**
 * Terraform providers for the host cluster, for stacks that bring none: a stack with nothing but virtual clusters works on the
 * cluster of the current kubeconfig context, as kubectl does. Decided at synthesis, when the whole program has been read, so
 * a provider that the user makes after the virtual cluster still counts. Never touches or shadows a provider of the user.
 *
 * All of them mean one cluster: what is missing is made after the kubernetes provider that is there.
 */
import { delimiter } from 'node:path';
import type { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js';
import type { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js';
import type { IConstruct } from 'constructs';
import { binding } from './bindings.ts';
import { Aspects, TerraformProvider, TerraformStack } from './terraform.ts';
import type { IAspect } from './terraform.ts';
import { VclusterProvider } from './vcluster/provider.ts';
import type { HostAccess } from './vcluster/provider.ts';

/** The providers a virtual cluster may need on the host. */
export type HostProviderType = 'kubernetes' | 'helm' | 'vcluster';

class DefaultProviders implements IAspect {
  readonly needed: Set<HostProviderType> = new Set();

  visit(node: IConstruct): void {
    if (!TerraformStack.isStack(node)) return;
    const missing = [...this.needed].filter((type) => tryDefault(node, type) === undefined);
    if (missing.length === 0) return;
    const present = tryDefault(node, 'kubernetes');
    const access = present === undefined ? kubeconfig(process.env) : accessOf(present as KubernetesProvider);
    for (const type of missing) make[type](node, `host-${type}`, access);
  }
}

/** Makes sure that the stack has default providers of these types by the time it is synthesised. */
export function ensureHostProviders(stack: TerraformStack, types: readonly HostProviderType[]): void {
  const aspects = Aspects.of(stack);
  let defaults = aspects.all.find((aspect): aspect is DefaultProviders => aspect instanceof DefaultProviders);
  if (defaults === undefined) {
    defaults = new DefaultProviders();
    aspects.add(defaults);
  }
  for (const type of types) defaults.needed.add(type);
}

/** A Helm provider for the cluster of `host`; the same one each time within a stack. */
export function helmProviderLike(host: KubernetesProvider): HelmProvider {
  const id = `${host.node.id}-helm`;
  const present = host.node.scope?.node.tryFindChild(id);
  if (present !== undefined) return present as HelmProvider;
  return make.helm(host.node.scope ?? host, id, { ...accessOf(host), alias: aliasLike(host) });
}

/** A configuration of our own provider for the cluster of `host`; the same one each time within a stack. */
export function vclusterProviderLike(host: KubernetesProvider): VclusterProvider {
  const id = `${host.node.id}-vcluster`;
  const present = host.node.scope?.node.tryFindChild(id);
  if (present !== undefined) return present as VclusterProvider;
  return make.vcluster(host.node.scope ?? host, id, { ...accessOf(host), alias: aliasLike(host) });
}

/** Never the bare alias of `host`: the user may have a Helm provider of that alias himself. */
function aliasLike(host: KubernetesProvider): string {
  return `${host.friendlyUniqueId}-host`;
}

type Access = HostAccess & { readonly alias?: string };

const make = {
  kubernetes: (scope: IConstruct, id: string, access: Access): KubernetesProvider => {
    const { KubernetesProvider } = binding('@cdktf/provider-kubernetes/lib/provider/index.js');
    const { configPaths, exec: _exec, ...rest } = access;
    return new KubernetesProvider(scope, id, { ...rest, ...(configPaths && { configPaths: [...configPaths] }) });
  },
  helm: (scope: IConstruct, id: string, { alias, ...access }: Access): HelmProvider => {
    const { HelmProvider } = binding('@cdktf/provider-helm/lib/provider/index.js');
    const { configPaths, exec, ...rest } = access;
    const kubernetes = {
      ...rest,
      ...(configPaths && { configPaths: [...configPaths] }),
      ...(exec && { exec: { ...exec, args: [...(exec.args ?? [])], env: { ...exec.env } } }),
    };
    const none = Object.keys(kubernetes).length === 0;
    return new HelmProvider(scope, id, { ...(alias !== undefined && { alias }), ...(none ? {} : { kubernetes }) });
  },
  vcluster: (scope: IConstruct, id: string, access: Access): VclusterProvider =>
    new VclusterProvider(scope, id, access),
} as const;

/** The words that the three providers share, as they were given to `host`. */
function accessOf(host: KubernetesProvider): HostAccess {
  const exec = Array.isArray(host.exec) ? host.exec[0] : undefined;
  const access = {
    configPath: host.configPath,
    configPaths: host.configPaths,
    configContext: host.configContext,
    host: host.host,
    clusterCaCertificate: host.clusterCaCertificate,
    clientCertificate: host.clientCertificate,
    clientKey: host.clientKey,
    token: host.token,
    tlsServerName: host.tlsServerName,
    insecure: typeof host.insecure === 'boolean' ? host.insecure : undefined,
    exec,
  };
  return Object.fromEntries(Object.entries(access).filter(([, value]) => value !== undefined)) as HostAccess;
}

/**
 * Where the host's kubeconfig is. Nothing when KUBE_CONFIG_PATH(S) is set: the providers read that by themselves, and the
 * synthesised program stays free of paths. Otherwise the files that kubectl would take.
 */
export function kubeconfig(env: Readonly<Record<string, string | undefined>>): HostAccess {
  if (env['KUBE_CONFIG_PATH'] || env['KUBE_CONFIG_PATHS']) return {};
  const [first = '~/.kube/config', ...more] = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return more.length === 0 ? { configPath: first } : { configPaths: [first, ...more] };
}

function tryDefault(stack: TerraformStack, type: HostProviderType): TerraformProvider | undefined {
  return stack.node
    .findAll()
    .find(
      (node): node is TerraformProvider =>
        TerraformProvider.isTerraformProvider(node) && node.terraformResourceType === type && node.alias === undefined,
    );
}
