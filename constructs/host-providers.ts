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
import { verbatim, VclusterProvider } from './vcluster/provider.ts';
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
    const access = present === undefined ? accessWithout(missing) : accessOf(present as KubernetesProvider);
    for (const type of missing) make[type](node, `host-${type}`, access, present?.node.path);
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
  return make.vcluster(host.node.scope ?? host, id, { ...accessOf(host), alias: aliasLike(host) }, host.node.path);
}

/** Never the bare alias of `host`: the user may have a Helm provider of that alias himself. */
function aliasLike(host: KubernetesProvider): string {
  return `${host.friendlyUniqueId}-host`;
}

/** How the host is reached, in the words of the kubernetes and Helm providers. */
interface Access extends HostAccess, BeyondOurs {
  readonly alias?: string;
}

/** What our own provider has no word for. */
interface BeyondOurs {
  readonly configContextCluster?: string;
  readonly configContextAuthInfo?: string;
  readonly username?: string;
  readonly password?: string;
  readonly proxyUrl?: string;
}

const beyondOurs: Readonly<Record<keyof BeyondOurs, true>> = {
  configContextCluster: true,
  configContextAuthInfo: true,
  username: true,
  password: true,
  proxyUrl: true,
};

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
      ...(exec && { exec: { ...exec, args: [...(exec.args ?? [])], env: verbatim(exec.env ?? {}) } }),
    };
    const none = Object.keys(kubernetes).length === 0;
    return new HelmProvider(scope, id, { ...(alias !== undefined && { alias }), ...(none ? {} : { kubernetes }) });
  },
  vcluster: (scope: IConstruct, id: string, access: Access, like?: string): VclusterProvider => {
    const lost = Object.keys(access).find((key) => Object.hasOwn(beyondOurs, key));
    if (lost === undefined) return new VclusterProvider(scope, id, access);
    throw new Error(
      `${like ?? id}: hostVclusterProvider must be given as well: our own provider cannot be made after this one, because it has no ` +
        `${lost}, and without that it might mean another cluster. Make a VclusterProvider that reaches the same host.`,
    );
  },
} as const;

/** All that says which cluster `host` means and as whom: what is left out here would be another cluster, or nobody. */
function accessOf(host: KubernetesProvider): Access {
  if (host.exec !== undefined && !Array.isArray(host.exec)) {
    throw new Error(
      `${host.node.path}: exec must be known at synthesis, because other providers are made after this one`,
    );
  }
  const access = {
    configPath: host.configPath,
    configPaths: host.configPaths,
    configContext: host.configContext,
    configContextCluster: host.configContextCluster,
    configContextAuthInfo: host.configContextAuthInfo,
    host: host.host,
    clusterCaCertificate: host.clusterCaCertificate,
    clientCertificate: host.clientCertificate,
    clientKey: host.clientKey,
    token: host.token,
    username: host.username,
    password: host.password,
    tlsServerName: host.tlsServerName,
    insecure: host.insecure,
    proxyUrl: host.proxyUrl,
    exec: host.exec?.[0],
  };
  return Object.fromEntries(Object.entries(access).filter(([, value]) => value !== undefined)) as Access;
}

/** Our own provider finds the kubeconfig by itself. Beside others it is told, so that all mean the same one. */
function accessWithout(missing: readonly HostProviderType[]): HostAccess {
  return missing.every((type) => type === 'vcluster') ? {} : kubeconfig(process.env);
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
