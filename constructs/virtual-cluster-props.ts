/**
 * The options of a virtual cluster and what is refused about them at synthesis. Its configuration (`controlPlane`, `sync`, …) is not
 * written here: those properties are the declared options of config/options.ts.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js';
import type { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js';
import { nameProblem } from '../config/names.ts';
import type { Values } from '../config/options.ts';
import { valuesProblems } from '../config/parse.ts';
import { checkDuration, checkLabels, checkNamespaceName, mustBe } from './checks.ts';
import { Provisioner } from './provisioner.ts';
import { Token } from './terraform.ts';
import type { ITerraformDependable } from './terraform.ts';
import { disagreements, isTree, mergeValues, withoutTokens } from './values.ts';
import type { ValuesTree } from './values.ts';
import type { NamespaceLifecycle, Timeouts } from './vcluster/cluster.ts';
import type { VclusterProvider } from './vcluster/provider.ts';

/** Which host cluster it is about. Without any of them: that of the stack's default providers, or of the current kubeconfig context. */
export interface HostProps {
  /**
   * Provider of the host cluster. Those for Helm and for our own provider are made after it, unless they are given as well.
   * @default - the stack's own; when it has none, one for the current kubeconfig context is added
   */
  readonly hostProvider?: KubernetesProvider;

  /**
   * Helm provider of the host cluster.
   * @default - made after `hostProvider`
   */
  readonly hostHelmProvider?: HelmProvider;

  /**
   * Configuration of our own provider for the host cluster.
   * @default - made after `hostProvider`
   */
  readonly hostVclusterProvider?: VclusterProvider;
}

interface OwnProps extends HostProps {
  /**
   * Name of the virtual cluster: of its Helm release, Service and StatefulSet. Changing it makes a new virtual cluster.
   * @default - the construct's id
   */
  readonly name?: string | undefined;

  /**
   * The one namespace of the host cluster that holds the virtual cluster and everything its tenants run.
   * @default - named like the virtual cluster
   */
  readonly namespace?: string | undefined;

  /**
   * Whether the stack makes the namespace, and so deletes it, with all data in it, on destroy (`create`), or uses one that is there
   * and never touches it (`keep`); volumes of the virtual cluster then outlive it. `adopt`, with `Provisioner.native()` only, takes over
   * one that may be there.
   * @default 'create'
   */
  readonly namespaceLifecycle?: NamespaceLifecycle;

  /**
   * Labels of the namespace, for instance to enforce a Pod Security level.
   * @default - none
   */
  readonly namespaceLabels?: Readonly<Record<string, string>>;

  /**
   * Annotations of the namespace.
   * @default - none
   */
  readonly namespaceAnnotations?: Readonly<Record<string, string>>;

  /**
   * Labels of the virtual cluster, to find it by. With `Provisioner.helm()` the namespace that the stack makes gets them as well.
   * @default - none
   */
  readonly labels?: Readonly<Record<string, string>> | undefined;

  /**
   * Version of the virtual cluster's Kubernetes, such as `1.36` or `1.36.3`. Short for `controlPlane.distro.k8s.version`.
   * @default - the version this package was tested with
   */
  readonly kubernetesVersion?: string | undefined;

  /**
   * Chart values as one tree, as in a `vcluster.yaml` that is there already. The same options can be given as properties; an option
   * given in both must have the same value. No secrets: Terraform keeps values in its state.
   * @default - the chart's own
   */
  readonly values?: Values;

  /**
   * Folder of a chart to install instead of the one that ships with this package.
   * @default - the chart of this package
   */
  readonly chart?: string;

  /**
   * How long an apply waits until the virtual cluster is ready, or gone. Helm has one limit for all: the longest of them.
   * @default - 5 minutes each
   */
  readonly timeouts?: Timeouts;

  /**
   * Refuses every plan that would delete the virtual cluster.
   * @default false
   */
  readonly deletionProtection?: boolean;

  /**
   * What has to be there before the virtual cluster is made, for instance policies of its namespace.
   * @default - nothing
   */
  readonly dependsOn?: readonly ITerraformDependable[];

  /**
   * Who makes it.
   * @default Provisioner.helm()
   */
  readonly provisioner?: Provisioner;
}

/** Options of a {@link VirtualCluster}: those below, and every option of docs/configuration.md as a property. */
export interface VirtualClusterProps extends OwnProps, Values {}

/** Every property that is not an option of the chart; whatever else is given is checked as one. */
const ownKeys: Readonly<Record<keyof OwnProps, true>> = {
  hostProvider: true,
  hostHelmProvider: true,
  hostVclusterProvider: true,
  name: true,
  namespace: true,
  namespaceLifecycle: true,
  namespaceLabels: true,
  namespaceAnnotations: true,
  labels: true,
  kubernetesVersion: true,
  values: true,
  chart: true,
  timeouts: true,
  deletionProtection: true,
  dependsOn: true,
  provisioner: true,
};

/** The properties of `VirtualClusterProps` that no option may be called like. */
export const ownPropertyNames: readonly string[] = Object.keys(ownKeys);

/** Throws for anything about `props` that cannot work; `where` is the construct's path. */
export function checkProps(where: string, name: string, props: VirtualClusterProps): void {
  const problem = Token.isUnresolved(name) ? undefined : nameProblem(name);
  if (problem !== undefined)
    throw new Error(`${where}: ${problem}${props.name === undefined ? ' Or set `name`.' : ''}`);
  checkNamespaceName(`${where}: namespace`, props.namespace);
  checkNamespace(where, props);
  checkLabels(`${where}: labels`, props.labels);
  checkLabels(`${where}: namespaceLabels`, props.namespaceLabels);
  checkTimeouts(`${where}: timeouts`, props.timeouts);
  checkChoices(where, props);
  checkHost(where, props);
}

/** The chart values that `props` stand for, all but `labels`; throws with every key or value that the chart would refuse. */
export function chartValues(where: string, props: VirtualClusterProps): ValuesTree {
  if (props.values !== undefined && !isTree(props.values)) {
    throw mustBe(`${where}: values`, 'an object, such as a vcluster.yaml that was parsed', props.values);
  }
  const { kubernetesVersion } = props;
  const version = { controlPlane: { distro: { k8s: { version: kubernetesVersion } } } };
  const short: ValuesTree = kubernetesVersion === undefined ? {} : version;
  const typed: ValuesTree = Object.fromEntries(Object.entries(props).filter(([key]) => !Object.hasOwn(ownKeys, key)));
  const values: ValuesTree = { ...props.values };
  refuseDisagreements(where, [
    ['kubernetesVersion', short],
    ['`labels`', labelValues(props)],
    ['the property', typed],
    ['`values`', values],
  ]);
  const merged = mergeValues(mergeValues(short, typed), values);
  const problems = valuesProblems(withoutTokens(merged));
  if (problems.length > 0) throw new Error(`${where}: these values cannot be used.\n${problems.join('\n')}`);
  return merged;
}

/** Where the provider's data sources look for the labels of a virtual cluster, whoever has made it. */
export function labelValues({ labels }: VirtualClusterProps): ValuesTree {
  return labels === undefined ? {} : { controlPlane: { statefulSet: { labels } } };
}

/** An option may be given in several places; two different values are a mistake that only the user can resolve. */
function refuseDisagreements(where: string, places: readonly (readonly [string, ValuesTree])[]): void {
  const pairs = places.flatMap((left, index) => places.slice(index + 1).map((right) => [left, right] as const));
  for (const [[leftPlace, left], [rightPlace, right]] of pairs) {
    const [first] = disagreements(left, right);
    if (first === undefined) continue;
    const [one, other] = first.got.map((value) => JSON.stringify(value));
    throw new Error(
      `${where}: ${first.path} must have one value, got: ${one} by ${leftPlace} and ${other} by ${rightPlace}`,
    );
  }
}

const timeoutKeys: Readonly<Record<keyof Timeouts, true>> = { create: true, update: true, delete: true };

function checkTimeouts(where: string, timeouts: Timeouts = {}): void {
  for (const [key, value] of Object.entries(timeouts)) {
    if (!Object.hasOwn(timeoutKeys, key)) {
      throw mustBe(`${where}: a key`, `one of ${Object.keys(timeoutKeys).join(', ')}`, key);
    }
    checkDuration(`${where}.${key}`, value);
  }
}

function checkChoices(where: string, { provisioner, deletionProtection, chart }: VirtualClusterProps): void {
  if (provisioner !== undefined && !(provisioner instanceof Provisioner)) {
    throw mustBe(`${where}: provisioner`, 'Provisioner.helm() or Provisioner.native()', provisioner);
  }
  if (deletionProtection !== undefined && typeof deletionProtection !== 'boolean') {
    throw mustBe(`${where}: deletionProtection`, 'true or false', deletionProtection);
  }
  if (chart !== undefined && !existsSync(join(chart, 'Chart.yaml'))) {
    throw mustBe(`${where}: chart`, 'a folder with a Chart.yaml', chart);
  }
}

const lifecycles: Readonly<Record<NamespaceLifecycle, true>> = { create: true, adopt: true, keep: true };

function checkNamespace(where: string, props: VirtualClusterProps): void {
  const lifecycle = props.namespaceLifecycle ?? 'create';
  if (!Object.hasOwn(lifecycles, lifecycle)) {
    throw mustBe(`${where}: namespaceLifecycle`, `one of ${Object.keys(lifecycles).join(', ')}`, lifecycle);
  }
  if (lifecycle === 'adopt' && props.provisioner?.choice.kind !== 'native') {
    throw new Error(
      `${where}: namespaceLifecycle must be "create" or "keep" with Provisioner.helm(), got: "adopt". ` +
        'Terraform cannot take over a namespace that may or may not be there; Provisioner.native() can.',
    );
  }
  const metadata = props.namespaceLabels ?? props.namespaceAnnotations;
  if (lifecycle === 'keep' && metadata !== undefined) {
    const what = props.namespaceLabels === undefined ? 'namespaceAnnotations' : 'namespaceLabels';
    throw new Error(
      `${where}: ${what} must be left out when namespaceLifecycle is "keep": the namespace is not the stack's`,
    );
  }
}

/** A Helm provider alone would leave namespace and release on two clusters without a word. */
function checkHost(where: string, props: VirtualClusterProps): void {
  if (props.provisioner?.choice.kind === 'native') return;
  const makesNamespace = props.namespaceLifecycle !== 'keep';
  if (props.hostHelmProvider !== undefined && props.hostProvider === undefined && makesNamespace) {
    throw new Error(
      `${where}: hostProvider and hostHelmProvider must be given together, hostProvider is missing: ` +
        'it makes the namespace, and without it that would be on another cluster',
    );
  }
}
