/**
 * The options of a virtual cluster and what is refused about them at synthesis. Everything that can be known without a cluster
 * is checked here, so that a mistake costs a second and not a half-made release. Values that Terraform only learns while
 * applying are let through; the chart's own schema is the second gate.
 */
import type { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js';
import type { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js';
import { nameProblem } from '../config/names.ts';
import type { Values } from '../config/options.ts';
import { valuesProblems } from '../config/parse.ts';
import { Token } from './terraform.ts';
import { mergeValues, withoutTokens } from './values.ts';
import type { ValuesTree } from './values.ts';

/** Options of a {@link VirtualCluster}; every one has a default. */
export interface VirtualClusterProps {
  /**
   * Name of the virtual cluster: of its Helm release, Service and StatefulSet. Changing it makes a new virtual cluster.
   * @default - the construct's id
   */
  readonly name?: string;

  /**
   * The one namespace of the host cluster that holds the virtual cluster and everything its tenants run.
   * @default - named like the virtual cluster
   */
  readonly namespace?: string;

  /**
   * Whether the stack makes the namespace, and so deletes it, with all data in it, on destroy. Give false for a namespace that
   * exists already; volumes of the virtual cluster then outlive it.
   * @default true
   */
  readonly createNamespace?: boolean;

  /**
   * Labels of the namespace that the stack makes, for instance to enforce a Pod Security level.
   * @default - none
   */
  readonly namespaceLabels?: Readonly<Record<string, string>>;

  /**
   * Version of the virtual cluster's Kubernetes, such as `1.36` or `1.36.3`.
   * @default - the version this package was tested with
   */
  readonly kubernetesVersion?: string;

  /**
   * Chart values, as in a `vcluster.yaml`. A key or value that the chart would refuse is refused at synthesis. No secrets:
   * Terraform keeps values in its state.
   * @default - the chart's own
   */
  readonly values?: Values;

  /**
   * Folder of a chart to install instead of the one that ships with this package.
   * @default - the chart of this package
   */
  readonly chart?: string;

  /**
   * How long an apply waits for the virtual cluster to be ready before it takes the release back.
   * @default 300
   */
  readonly timeoutSeconds?: number;

  /**
   * Provider of the host cluster for the namespace. Give it together with `helmProvider`, or the two may mean different clusters.
   * @default - the stack's own; when it has none, one for the current kubeconfig context is added
   */
  readonly hostKubernetesProvider?: KubernetesProvider;

  /**
   * Provider of the host cluster for the release. Give it together with `hostKubernetesProvider`.
   * @default - the stack's own; when it has none, one for the current kubeconfig context is added
   */
  readonly helmProvider?: HelmProvider;
}

/** Throws for anything about `props` that cannot work; `where` is the construct's path. */
export function checkProps(where: string, name: string, props: VirtualClusterProps): void {
  const problem = Token.isUnresolved(name) ? undefined : nameProblem(name);
  if (problem !== undefined)
    throw new Error(`${where}: ${problem}${props.name === undefined ? ' Or set `name`.' : ''}`);
  checkNamespace(where, props.namespace);
  if (props.createNamespace === false && props.namespaceLabels !== undefined) {
    throw new Error(
      `${where}: namespaceLabels must be left out when createNamespace is false: the namespace is not the stack's`,
    );
  }
  checkTimeout(where, props.timeoutSeconds);
  checkProviders(where, props);
}

/** The chart values that `props` stand for; throws with every key or value that the chart would refuse. */
export function chartValues(where: string, props: VirtualClusterProps): ValuesTree {
  checkVersion(where, props);
  const version = { controlPlane: { distro: { k8s: { version: props.kubernetesVersion } } } };
  const values = mergeValues(props.kubernetesVersion === undefined ? {} : version, props.values ?? {});
  const problems = valuesProblems(withoutTokens(values));
  if (problems.length > 0) throw new Error(`${where}: these values cannot be used.\n${problems.join('\n')}`);
  return values;
}

/** The version can be given in two places; two different ones are a mistake that only the user can resolve. */
function checkVersion(where: string, { kubernetesVersion, values }: VirtualClusterProps): void {
  const given = values?.controlPlane?.distro?.k8s?.version;
  if (kubernetesVersion === undefined || given === undefined || given === kubernetesVersion) return;
  const both = `${JSON.stringify(kubernetesVersion)} and values.controlPlane.distro.k8s.version ${JSON.stringify(given)}`;
  throw new Error(`${where}: kubernetesVersion must be the only one to set the version, got: ${both}`);
}

function checkNamespace(where: string, namespace: string | undefined): void {
  if (namespace === undefined || Token.isUnresolved(namespace)) return;
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(namespace) || namespace.length > 63) {
    throw mustBe(
      `${where}: namespace`,
      'lower-case letters, digits and "-" in between, at most 63 characters',
      namespace,
    );
  }
}

function checkTimeout(where: string, seconds: number | undefined): void {
  if (seconds === undefined || Token.isUnresolved(seconds)) return;
  if (!Number.isInteger(seconds) || seconds < 1) {
    throw mustBe(`${where}: timeoutSeconds`, 'a whole number of seconds, at least 1', seconds);
  }
}

/** One given and the other not would put namespace and release on two clusters without a word. */
function checkProviders(where: string, props: VirtualClusterProps): void {
  const needsBoth = props.createNamespace !== false;
  if (needsBoth && (props.hostKubernetesProvider === undefined) !== (props.helmProvider === undefined)) {
    const missing = props.helmProvider === undefined ? 'helmProvider' : 'hostKubernetesProvider';
    throw new Error(`${where}: hostKubernetesProvider and helmProvider must be given together, ${missing} is missing`);
  }
}

function mustBe(where: string, what: string, got: unknown): Error {
  return new Error(`${where} must be ${what}, got: ${JSON.stringify(got)}`);
}
