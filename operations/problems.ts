/** What stands in the way of a virtual cluster on this host, found before anything is written; each its own message. */
import { oldestHostMinor } from '../config/kubernetes-versions.ts';
import { nameProblem } from '../config/names.ts';
import { ifAllowed } from './host-errors.ts';
import { ChartError, compareVersions, isOurs, describeChart } from './chart-files.ts';
import { askAdministrator } from './host-answers.ts';
import { kinds } from './host.ts';
import type { Host, HostVersion } from './host.ts';
import { namespaceProblem } from './namespace.ts';
import type { WantedNamespace } from './namespace.ts';
import { readRelease } from './release.ts';
import type { Release, WantedRelease } from './release.ts';
import { distinct, missingRightsText, rightsToGrant, rightsToInstall } from './rights.ts';
import type { Right } from './rights.ts';
import type { HostObject, OperationOptions } from './types.ts';

/** What a problem is about, so that a caller can point at the place in the user's configuration. */
export type ProblemSubject = 'host' | 'rights' | 'name' | 'namespace' | 'missingNamespace' | 'chart';

export interface Problem {
  readonly subject: ProblemSubject;
  /** One line without a full stop. */
  readonly summary: string;
  /** Why, and what to do. */
  readonly detail: string;
}

export interface Wish {
  readonly release: WantedRelease;
  readonly namespace: WantedNamespace;
}

const rightsAtOnceMax = 8;

/**
 * Everything that stands in the way; empty when it can be made or upgraded. Asks the host's own authorizer about rights; reads only.
 * @throws HostError when the host cannot be asked
 */
export async function findProblems(
  host: Host,
  wish: Wish,
  options: OperationOptions = {},
): Promise<readonly Problem[]> {
  const { release, namespace } = wish;
  // First by itself: when it fails, all others would too, with less to say.
  const version = await host.version(options);
  const nameWrong = nameProblem(release.name);
  const tooOld = hostVersionText(version).map((detail) => problem('host', 'The host cluster is too old', detail));
  if (nameWrong !== undefined) return [...tooOld, problem('name', 'The name cannot be used', nameWrong)];
  const found = await Promise.all([
    takenProblems(host, release, options),
    namespaceProblems(host, namespace, options),
    rightsProblems(host, namespace, options),
  ]);
  return [...tooOld, ...found.flat()];
}

function problem(subject: ProblemSubject, summary: string, detail: string): Problem {
  return { subject, summary, detail };
}

/** From the answer of /version. Pure. */
export function hostVersionText({ major, minor, gitVersion }: HostVersion): readonly string[] {
  if (Number(major) > 1 || Number.parseInt(minor, 10) >= oldestHostMinor) return [];
  return [
    `The host cluster runs Kubernetes ${gitVersion}; 1.${oldestHostMinor} or newer is needed, because the control plane starts in ` +
      'order by native sidecar containers. Upgrade the host or choose another one.',
  ];
}

async function namespaceProblems(
  host: Host,
  wanted: WantedNamespace,
  options: OperationOptions,
): Promise<readonly Problem[]> {
  const found = await ifAllowed(namespaceProblem(host, wanted, options));
  if (found === undefined) return [];
  return found.isMissing
    ? [problem('missingNamespace', 'The namespace is missing', found.detail)]
    : [problem('namespace', `Namespace "${wanted.name}" cannot be used`, found.detail)];
}

/** By another release, or by another virtual cluster; and a release that is from a later version than this. */
async function takenProblems(
  host: Host,
  wanted: WantedRelease,
  options: OperationOptions,
): Promise<readonly Problem[]> {
  const { namespace, name } = wanted;
  const { signal } = options;
  const [release, statefulSets] = await Promise.all([
    ifAllowed(readRelease(host, wanted, { signal })),
    ifAllowed(host.list(kinds.statefulSets, namespace, { signal, labelSelector: 'app=vcluster' })),
  ]);
  const others = occupants(statefulSets ?? [], name).map((other) =>
    problem('namespace', `Namespace "${namespace}" is taken`, occupiedText(namespace, other)),
  );
  return [...others, ...(await chartProblems(wanted.chart, release))];
}

/** Names of other virtual clusters among these. Pure. */
export function occupants(statefulSets: readonly HostObject[], name: string): readonly string[] {
  return statefulSets
    .filter(({ metadata }) => metadata.labels?.['release'] !== name)
    .map(({ metadata }) => metadata.name);
}

/** Another virtual cluster is there, in words. */
export function occupiedText(namespace: string, other: string): string {
  return `Namespace "${namespace}" already holds the virtual cluster "${other}", and a namespace holds one. Choose another namespace.`;
}

async function chartProblems(path: string | undefined, release: Release | undefined): Promise<readonly Problem[]> {
  try {
    const chart = await describeChart(path);
    if (release === undefined) return [];
    return releaseProblems(release, chart.version);
  } catch (error) {
    if (error instanceof ChartError) return [problem('chart', error.summary, error.detail)];
    throw error;
  }
}

/** What is wrong with putting a chart of this version over a release. Pure. */
export function releaseProblems({ name, namespace, chart }: Release, version: string): readonly Problem[] {
  if (!isOurs(chart)) {
    const detail =
      `In namespace "${namespace}" it is the name of a Helm release of the chart ${chart.name} ${chart.version}, which is none of ` +
      'this project. Choose another name or namespace.';
    return [problem('name', `Name "${name}" is taken`, detail)];
  }
  if (compareVersions(chart.version, version) <= 0) return [];
  const detail =
    `${namespace}/${name} was made by chart ${chart.version}, and this one is ${version}: going back could lose what the newer one ` +
    'has written. Use a newer provider, or a newer chart.';
  return [problem('chart', 'The chart is too old', detail)];
}

async function rightsProblems(
  host: Host,
  wanted: WantedNamespace,
  options: OperationOptions,
): Promise<readonly Problem[]> {
  const { name } = wanted;
  const may = async (right: Right): Promise<boolean> => (await missingRights(host, [right], options)).length === 0;
  // Whoever may do anything need not be asked about each thing.
  if (await may({ verb: '*', group: '*', resource: '*' })) return [];
  const needed = distinct([...(await namespaceRights(host, wanted, options)), ...rightsToInstall(name)]);
  const granted = distinct(rightsToGrant(name)).filter((right) => !needed.some((other) => same(right, other)));
  // Kubernetes lets nobody grant what they do not have, unless they may escalate.
  const mayGrant = await may({
    verb: 'escalate',
    group: 'rbac.authorization.k8s.io',
    resource: 'roles',
    namespace: name,
  });
  const asked = mayGrant ? needed : [...needed, ...granted];
  return rightsText(await missingRights(host, asked, options), asked, wanted);
}

function rightsText(
  missing: readonly Right[],
  asked: readonly Right[],
  { name, lifecycle }: WantedNamespace,
): readonly Problem[] {
  const isInside = ({ namespace }: Right): boolean => namespace !== undefined;
  const outside = missing
    .filter((right) => !isInside(right))
    .map(
      ({ verb, resource }) =>
        `This account may not ${verb} ${resource}, which the namespace lifecycle "${lifecycle}" needs. ${askAdministrator}`,
    );
  const lines = [...outside, ...missingRightsText(missing.filter(isInside), asked.filter(isInside).length, name)];
  if (lines.length === 0) return [];
  return [problem('rights', 'This account may not make a virtual cluster here', lines.join('\n'))];
}

/** What the lifecycle of the namespace takes. */
async function namespaceRights(
  host: Host,
  { name, lifecycle }: WantedNamespace,
  { signal }: OperationOptions,
): Promise<readonly Right[]> {
  if (lifecycle === 'keep') return [];
  const found = await ifAllowed(host.tryGet(kinds.namespaces, { name }, { signal }));
  const verbs = found === undefined ? ['create'] : ['patch', 'delete'];
  return verbs.map((verb) => ({ verb, group: '', resource: 'namespaces' }));
}

function same(left: Right, right: Right): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

interface Review {
  readonly status: { readonly allowed: boolean };
}

async function missingRights(
  host: Host,
  wanted: readonly Right[],
  { signal }: OperationOptions,
): Promise<readonly Right[]> {
  const missing: Right[] = [];
  for (let start = 0; start < wanted.length; start += rightsAtOnceMax) {
    const batch = wanted.slice(start, start + rightsAtOnceMax);
    const allowed = await Promise.all(batch.map((right) => mayDo(host, right, signal)));
    missing.push(...batch.filter((_, index) => allowed[index] === false));
  }
  return missing;
}

async function mayDo(host: Host, { verb, group, resource, namespace }: Right, signal?: AbortSignal): Promise<boolean> {
  const [plural, subresource] = resource.split('/');
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb, group, resource: plural, subresource, namespace } },
  };
  return ((await host.request('POST', path, body, { signal })) as Review).status.allowed;
}
