/**
 * Terraform providers for the host cluster, for stacks that bring none: a stack with nothing but virtual clusters works on the
 * cluster of the current kubeconfig context, as kubectl does. Decided at synthesis, when the whole program has been read, so
 * a provider that the user makes after the virtual cluster still counts. Never touches or shadows a provider of the user.
 */
import { delimiter } from 'node:path';
import { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js';
import { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js';
import type { IConstruct } from 'constructs';
import { Aspects, TerraformProvider, TerraformStack } from './terraform.ts';
import type { IAspect } from './terraform.ts';

const defaults: IAspect = {
  visit(node: IConstruct): void {
    if (!TerraformStack.isStack(node)) return;
    const config = kubeconfig(process.env);
    if (!hasDefault(node, 'kubernetes')) new KubernetesProvider(node, 'host-kubernetes', config);
    if (!hasDefault(node, 'helm'))
      new HelmProvider(node, 'host-helm', config === undefined ? {} : { kubernetes: config });
  },
};

/** Makes sure that the stack has a default `kubernetes` and `helm` provider by the time it is synthesised. */
export function ensureHostProviders(stack: TerraformStack): void {
  const aspects = Aspects.of(stack);
  if (!aspects.all.includes(defaults)) aspects.add(defaults);
}

/**
 * Where the host's kubeconfig is. Nothing when KUBE_CONFIG_PATH(S) is set: both providers read that by themselves, and the
 * synthesised program stays free of paths. Otherwise the files that kubectl would take.
 */
export function kubeconfig(env: Readonly<Record<string, string | undefined>>): HostKubeconfig | undefined {
  if (env['KUBE_CONFIG_PATH'] || env['KUBE_CONFIG_PATHS']) return undefined;
  const [first = '~/.kube/config', ...more] = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return more.length === 0 ? { configPath: first } : { configPaths: [first, ...more] };
}

/** The argument that both providers take under the same names. */
export interface HostKubeconfig {
  readonly configPath?: string;
  readonly configPaths?: string[];
}

function hasDefault(stack: TerraformStack, type: string): boolean {
  return stack.node
    .findAll()
    .some(
      (node) =>
        TerraformProvider.isTerraformProvider(node) && node.terraformResourceType === type && node.alias === undefined,
    );
}
