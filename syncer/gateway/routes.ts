/**
 * The requests that a kubelet answers, told from everything else. Pure: request line → route or refusal (spec KUB-01…06).
 *
 * A path is never repaired: names in it need no escaping, so one with `%`, `;`, `//`, `.` or `..` in it is nobody's honest
 * request and is refused (KUB-32). What goes on to the host is built anew from checked parts and from known parameters only.
 */
import type { Key } from '../model/side.ts';
import { refuse } from './options.ts';
import type { Refusal } from './options.ts';

export type Subresource = 'log' | 'exec' | 'attach' | 'portforward';

export interface PodRoute {
  readonly is: 'pod';
  readonly subresource: Subresource;
  readonly pod: Key<'virtual'>;
  readonly uid: string | undefined;
  readonly container: string | undefined;
  /** Already under the names that the host API has for them; without the container. */
  readonly query: readonly (readonly [string, string])[];
}

export type Route = PodRoute | { readonly is: 'healthz' } | { readonly is: 'pods' } | Refusal;

export interface RequestLine {
  readonly method: string;
  /** Path and query as received. */
  readonly target: string;
}

const label = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const names = `(?<namespace>${label})/(?<pod>${label}(?:\\.${label})*)`;
const uid = '(?:/(?<uid>[A-Za-z0-9-]{1,64}))?';
const container = `/(?<container>${label})`;

interface Shape {
  readonly subresource: Subresource;
  readonly path: RegExp;
  readonly methods: readonly string[];
  readonly query: (given: URLSearchParams) => readonly (readonly [string, string])[];
}

/** Names of parameters towards a kubelet → towards the API (KUB-08). */
const streams = [
  ['input', 'stdin'],
  ['output', 'stdout'],
  ['error', 'stderr'],
  ['tty', 'tty'],
] as const;
const logParameters = [
  'follow',
  'previous',
  'timestamps',
  'tailLines',
  'limitBytes',
  'sinceSeconds',
  'sinceTime',
  'stream',
] as const;

const shapes: readonly Shape[] = [
  {
    subresource: 'log',
    path: new RegExp(`^/containerLogs/${names}${container}$`),
    methods: ['GET'],
    query: logQuery,
  },
  {
    subresource: 'exec',
    path: new RegExp(`^/exec/${names}${uid}${container}$`),
    methods: ['POST', 'GET'],
    query: (given) => [...given.getAll('command').map((word) => ['command', word] as const), ...streamQuery(given)],
  },
  {
    subresource: 'attach',
    path: new RegExp(`^/attach/${names}${uid}${container}$`),
    methods: ['POST', 'GET'],
    query: streamQuery,
  },
  {
    subresource: 'portforward',
    path: new RegExp(`^/portForward/${names}${uid}$`),
    methods: ['POST', 'GET'],
    query: (given) => given.getAll('port').map((port) => ['ports', port] as const),
  },
];

const notYet = 'The nodes of a virtual cluster do not serve metrics in this version.';

export function routeOf({ method, target }: RequestLine): Route {
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  const fixed = fixedRoute(path.replace(/(?<=.)\/$/, ''));
  if (fixed !== undefined) {
    return fixed.is === 'refused' || method === 'GET' ? fixed : refuse(405, `Only GET is served here, not ${method}.`);
  }
  for (const shape of shapes) {
    const groups = shape.path.exec(path)?.groups;
    if (groups === undefined) continue;
    if (!shape.methods.includes(method)) return refuse(405, `${method} is not served here.`);
    return podRoute(shape, groups, new URLSearchParams(question < 0 ? '' : target.slice(question + 1)));
  }
  return refuse(404, 'The nodes of a virtual cluster serve logs, exec, attach, port-forward, /pods and /healthz only.');
}

function fixedRoute(path: string): Route | undefined {
  if (path === '/healthz') return { is: 'healthz' };
  if (path === '/pods') return { is: 'pods' };
  return path === '/stats/summary' || /^\/metrics(\/|$)/.test(path) ? refuse(404, notYet) : undefined;
}

function podRoute(shape: Shape, groups: Readonly<Record<string, string | undefined>>, given: URLSearchParams): Route {
  const { namespace = '', pod = '' } = groups;
  if (pod.length > 253) return refuse(404, 'No pod has a name of more than 253 characters.');
  return {
    is: 'pod',
    subresource: shape.subresource,
    pod: { namespace, name: pod },
    uid: groups['uid'],
    container: groups['container'],
    query: shape.query(given),
  };
}

/** One value each, the first: as API servers read them, so that nobody can mean two things at once. */
function logQuery(given: URLSearchParams): readonly (readonly [string, string])[] {
  return logParameters.flatMap((name) => {
    const value = given.get(name);
    return value === null ? [] : [[name, value] as const];
  });
}

function streamQuery(given: URLSearchParams): readonly (readonly [string, string])[] {
  return streams.flatMap(([from, to]) => {
    const value = given.get(from);
    return value === '1' || value === 'true' ? [[to, 'true'] as const] : [];
  });
}

/** The path on the host API server that a route stands for. */
export function hostPath(route: PodRoute, host: Key<'host'>): string {
  const query = new URLSearchParams(route.query.map(([name, value]): [string, string] => [name, value]));
  if (route.container !== undefined) query.set('container', route.container);
  const path = `/api/v1/namespaces/${encodeURIComponent(host.namespace)}/pods/${encodeURIComponent(host.name)}`;
  return `${path}/${route.subresource}${query.size === 0 ? '' : `?${query.toString()}`}`;
}
