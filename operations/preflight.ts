/**
 * What would go wrong when a virtual cluster is created, found out before anything is: each finding is a sentence for people,
 * with what to do. Reads only; asks the host's own authorizer about rights.
 *
 * The chart refuses the same mistakes; this finds all of them at once, and rights, which Helm notices halfway.
 */
import { oldestHostMinor, resolveKubernetesVersion } from '../config/kubernetes-versions.ts';
import { nameProblem } from '../config/names.ts';
import { valuesProblems } from '../config/parse.ts';
import { HostApi } from './host-api.ts';
import { readHostAccess } from './kubeconfig.ts';
import type { HostChoice } from './kubeconfig.ts';
import { distinct, missingRightsText, rightsToGrant, rightsToInstall } from './rights.ts';
import type { Right } from './rights.ts';

export interface PreflightRequest extends HostChoice {
  readonly name: string;
  readonly namespace: string;
  /** Kubernetes version of the virtual cluster. */
  readonly version?: string | undefined;
  /** What will be passed to the chart. */
  readonly values?: unknown;
}

const inFlightMax = 16;

/** Everything that stands in the way; empty when the virtual cluster can be created (or upgraded). */
export async function preflight(request: PreflightRequest): Promise<readonly string[]> {
  const problems = requestProblems(request);
  try {
    const host = new HostApi(await readHostAccess(request));
    return [...problems, ...(await hostProblems(host, request))];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [...problems, `The host cluster cannot be asked: ${why}`];
  }
}

/** What is wrong with the request itself, whatever the host. Pure. */
export function requestProblems({ name, namespace, version, values }: PreflightRequest): readonly string[] {
  const resolved = version === undefined ? undefined : resolveKubernetesVersion(version);
  return [
    nameProblem(name),
    namespaceProblem(namespace),
    resolved !== undefined && 'problem' in resolved ? resolved.problem : undefined,
    ...(values === undefined ? [] : valuesProblems(values)),
  ].filter((problem) => problem !== undefined);
}

function namespaceProblem(namespace: string): string | undefined {
  if (namespace.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(namespace)) return undefined;
  return `"${namespace}" cannot be a namespace: at most 63 lower-case letters, digits and "-". Choose another one.`;
}

async function hostProblems(host: HostApi, request: PreflightRequest): Promise<readonly string[]> {
  const { status, body } = await host.get('/version');
  if (status !== 200) {
    const account = status === 401 ? 'does not know this account; log in again' : `answered ${status} to /version`;
    return [`The host cluster ${account}, or use another kubeconfig.`];
  }
  const found = await Promise.all([
    Promise.resolve(hostVersionProblems(body)),
    occupiedProblems(host, request),
    rightsProblems(host, request.namespace),
  ]);
  return found.flat();
}

/** From the answer of /version. Pure. */
export function hostVersionProblems(version: unknown): readonly string[] {
  const { major, minor, gitVersion } = version as { major: string; minor: string; gitVersion: string };
  if (Number(major) > 1 || Number.parseInt(minor, 10) >= oldestHostMinor) return [];
  return [
    `The host cluster runs Kubernetes ${gitVersion}; 1.${oldestHostMinor} or newer is needed, because the control plane starts in ` +
      'order by native sidecar containers. Upgrade the host or choose another one.',
  ];
}

async function occupiedProblems(host: HostApi, { name, namespace }: PreflightRequest): Promise<readonly string[]> {
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/statefulsets?labelSelector=app%3Dvcluster`;
  const { status, body } = await host.get(path);
  return status === 200 ? occupantProblems(body, name, namespace) : [];
}

/** From the list of the namespace's StatefulSets that are virtual clusters. Pure. */
export function occupantProblems(list: unknown, name: string, namespace: string): readonly string[] {
  const { items } = list as { items: readonly { metadata: { name: string; labels?: Record<string, string> } }[] };
  return items
    .filter(({ metadata }) => metadata.labels?.['release'] !== name)
    .map(
      ({ metadata }) =>
        `Namespace "${namespace}" already holds the virtual cluster "${metadata.name}", and a namespace holds one. ` +
        'Choose another namespace.',
    );
}

async function rightsProblems(host: HostApi, namespace: string): Promise<readonly string[]> {
  const missingNamespace = (await host.get(`/api/v1/namespaces/${encodeURIComponent(namespace)}`)).status === 404;
  if (missingNamespace && !(await mayDo(host, { verb: 'create', group: '', resource: 'namespaces' }))) {
    return [
      `Namespace "${namespace}" does not exist and this account may not create it. Ask an administrator of the host cluster.`,
    ];
  }
  const mayEscalate = await mayDo(host, {
    verb: 'escalate',
    group: 'rbac.authorization.k8s.io',
    resource: 'roles',
    namespace,
  });
  const wanted = distinct([...rightsToInstall(namespace), ...(mayEscalate ? [] : rightsToGrant(namespace))]);
  const missing: Right[] = [];
  for (let start = 0; start < wanted.length; start += inFlightMax) {
    const batch = wanted.slice(start, start + inFlightMax);
    const answers = await Promise.all(batch.map((right) => mayDo(host, right)));
    missing.push(...batch.filter((_, index) => answers[index] === false));
  }
  return missingRightsText(missing, wanted.length, namespace);
}

async function mayDo(host: HostApi, { verb, group, resource, namespace }: Right): Promise<boolean> {
  const [plural, subresource] = resource.split('/');
  const { status, body } = await host.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb, group, resource: plural, subresource, namespace } },
  });
  if (status !== 201) throw new Error(`it answered ${status} when asked what this account may do.`);
  return (body as { status: { allowed: boolean } }).status.allowed;
}
