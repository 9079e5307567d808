/**
 * What the control plane of a virtual cluster takes of its host namespace. A quota is for the tenant's pods, so the control plane's share
 * comes on top; and where a LimitRange hands out default limits, the control plane must have limits of its own, or its API server
 * gets those of a small container.
 */
import { isOption } from '../config/option.ts';
import type { Option, OptionTree, Quantity, Resources } from '../config/option.ts';
import { options } from '../config/options.ts';
import { sum, tryThousandths } from './quantities.ts';
import { Token } from './terraform.ts';
import { mergeValues } from './values.ts';
import type { ValuesTree } from './values.ts';

/** Containers of the control plane's pod: where their resources are set, and the memory each may grow to under a LimitRange. */
const containers = [
  { path: ['controlPlane', 'distro', 'k8s', 'apiServer', 'resources'], memory: '2Gi' },
  { path: ['controlPlane', 'distro', 'k8s', 'controllerManager', 'resources'], memory: '512Mi' },
  { path: ['controlPlane', 'backingStore', 'etcd', 'resources'], memory: '1Gi' },
  { path: ['controlPlane', 'syncer', 'resources'], memory: '512Mi' },
] as const;

const volume = ['controlPlane', 'statefulSet', 'persistence', 'volumeClaim'] as const;

/** What the control plane takes, as quantities. */
export interface ControlPlaneShare {
  readonly cpuRequests: string;
  readonly memoryRequests: string;
  readonly memoryLimits: string;
  /** Size of its volume; undefined without one. */
  readonly storage: Quantity | undefined;
}

/** Memory limits for every container of the control plane to which `values` gives none. */
export function controlPlaneLimits(values: ValuesTree): ValuesTree {
  return containers
    .filter(({ path }) => resourcesIn(values, path).limits?.['memory'] === undefined)
    .map(({ path, memory }) => nest(path, { limits: { memory } }))
    .reduce<ValuesTree>((merged, one) => mergeValues(merged, one), {});
}

/** A container that may not have as much memory as it is given; undefined when `max` is enough for all. Expects the same of `values`. */
export function tryTooBig(max: Quantity, values: ValuesTree): { path: string; memory: Quantity } | undefined {
  const all = containers.map(({ path }) => ({
    path: path.join('.'),
    memory: resourcesIn(values, path).limits?.['memory'] ?? 0,
  }));
  return all.find(({ memory }) => (tryThousandths(memory) ?? 0) > (tryThousandths(max) ?? Infinity));
}

/**
 * What the control plane takes with these values, which name memory limits for all of its containers. Throws for what only Terraform
 * knows, which cannot be added up here; `where` is the construct's path.
 */
export function controlPlaneShare(where: string, values: ValuesTree): ControlPlaneShare {
  const all = containers.map(({ path }) => ({
    requests: { ...(optionAt(path).default as Resources).requests, ...resourcesIn(values, path).requests },
    limits: resourcesIn(values, path).limits,
  }));
  const added = (amounts: readonly (Quantity | undefined)[]): string => {
    if (!amounts.some((amount) => Token.isUnresolved(amount))) return sum(...amounts.map((amount) => amount ?? 0));
    throw new Error(
      `${where}: a quota needs resources of the control plane that are known at synthesis: they are added to it`,
    );
  };
  const setting = (key: string): unknown => valueAt(values, [...volume, key]) ?? optionAt([...volume, key]).default;
  return {
    cpuRequests: added(all.map(({ requests }) => requests['cpu'])),
    memoryRequests: added(all.map(({ requests }) => requests['memory'])),
    memoryLimits: added(all.map(({ limits }) => limits?.['memory'])),
    storage: setting('enabled') === false ? undefined : added([setting('size') as Quantity]),
  };
}

function resourcesIn(values: ValuesTree, path: readonly string[]): Resources {
  return (valueAt(values, path) as Resources | undefined) ?? {};
}

function valueAt(values: ValuesTree, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, key) => (node as ValuesTree | undefined)?.[key], values);
}

function optionAt(path: readonly string[]): Option {
  const node = path.reduce<OptionTree | Option | undefined>(
    (at, key) => (at as OptionTree | undefined)?.[key],
    options,
  );
  if (node !== undefined && isOption(node)) return node;
  throw new Error(`config/options.ts has no option ${path.join('.')}, which constructs/control-plane-share.ts reads`);
}

function nest(path: readonly string[], value: ValuesTree): ValuesTree {
  return path.reduceRight<ValuesTree>((inner, key) => ({ [key]: inner }), value);
}
