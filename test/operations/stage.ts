/** A host cluster for tests of operations: a real API server without nodes, and the helm of this project. */
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kinds, openHost } from '../../operations/host.ts';
import type { Host, HostKind } from '../../operations/host.ts';
import { run } from '../../scripts/lib/command.ts';
import { controlPlaneDir, issueKubeconfig, resolveBinary, silent, startControlPlane } from '../../testbed/index.ts';
import type { ControlPlane } from '../../testbed/index.ts';
import { until } from '../support/eventually.ts';

export interface Stage {
  readonly plane: ControlPlane;
  /** As its administrator. */
  readonly host: Host;
  readonly helm: string;
  stop(): Promise<void>;
}

/** Starts it; `name` keeps test files apart. */
export async function startStage(
  name: string,
  options: { readonly apiServerArgs?: readonly string[] } = {},
): Promise<Stage> {
  const helm = await resolveBinary('helm', silent);
  process.env['VCLUSTER_HELM'] = helm;
  const plane = await startControlPlane({
    dir: controlPlaneDir(`operations-${name}`),
    role: 'host',
    serviceCidr: '10.96.0.0/16',
    scheduler: false,
    apiServerArgs: options.apiServerArgs,
    log: silent,
  });
  const host = await openHost({ kubeconfig: plane.kubeconfigPath });
  return {
    plane,
    host,
    helm,
    stop: async () => {
      host.close();
      await plane.shutdown();
    },
  };
}

export const roles: HostKind = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'roles' };
export const roleBindings: HostKind = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'rolebindings' };

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** The host as a user who has these rights in one namespace, and none elsewhere. */
export async function asUser(stage: Stage, user: string, namespace: string, rules: readonly Rule[]): Promise<Host> {
  return openHost({ kubeconfig: await kubeconfigOf(stage, user, namespace, rules) });
}

/** Path of the kubeconfig of such a user. */
export async function kubeconfigOf(
  stage: Stage,
  user: string,
  namespace: string,
  rules: readonly Rule[],
): Promise<string> {
  const { plane, host } = stage;
  const leaf = { commonName: user };
  const kubeconfig = await issueKubeconfig(plane.dir, user, { server: plane.url, pki: plane.pki, leaf });
  if (rules.length > 0) {
    await host.create(roles, namespace, { metadata: { name: user }, rules });
    await host.create(roleBindings, namespace, {
      metadata: { name: user },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user },
      subjects: [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }],
    });
    await until(`the rights of ${user} to hold`, () => isAllowed(host, user, namespace, rules[0]));
  }
  return kubeconfig;
}

/** What the host's authorizer says, which hears of a binding a moment after it is there. */
async function isAllowed(host: Host, user: string, namespace: string, rule: Rule | undefined): Promise<boolean> {
  const { apiGroups: [group] = [], resources: [resource] = [], verbs: [verb] = [] } = rule ?? {};
  const spec = { user, resourceAttributes: { namespace, group, resource, verb } };
  const review = await host.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec });
  return (review as { status: { allowed: boolean } }).status.allowed;
}

/** Installs a chart of the same name as ours, and of another product. @returns its folder, which goes with the stage */
export async function installForeign({ plane, helm }: Stage, name: string): Promise<string> {
  const chart = join(plane.dir, 'foreign-chart');
  await cp(join(import.meta.dirname, '../../chart'), chart, { recursive: true });
  const description = await readFile(join(chart, 'Chart.yaml'), 'utf8');
  await writeFile(join(chart, 'Chart.yaml'), description.replace(/^home: .*$/m, 'home: https://another.example'));
  await run(helm, ['install', name, chart, '--kubeconfig', plane.kubeconfigPath, '-n', name]);
  return chart;
}

export async function makeNamespace(host: Host, name: string): Promise<void> {
  await host.create(kinds.namespaces, undefined, { metadata: { name } });
}

/** What an operation is refused with. */
export async function failureOf(operation: Promise<unknown>): Promise<Error> {
  try {
    await operation;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('It was expected to fail.');
}
