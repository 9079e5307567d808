/**
 * The namespace of a virtual cluster on the host: who makes it, changes it, and whether it goes with the virtual cluster.
 *
 * Ours = carries our annotation with the virtual cluster's name. One that is not ours is never changed or deleted, and of ours
 * only the labels and annotations that we have set (docs/adr/0022).
 */
import { OperationError } from './errors.ts';
import { HostConflictError, ifAllowed } from './host-errors.ts';
import { kinds } from './host.ts';
import type { Host } from './host.ts';
import { waitFor } from './poll.ts';
import type { HostObject, OperationOptions, WaitOptions } from './types.ts';

/**
 * create: made here, an error when it exists and is not ours; adopt: made or taken over, ours from then on and deleted at the end;
 * keep: must exist, never changed or deleted.
 */
export type NamespaceLifecycle = 'create' | 'adopt' | 'keep';

export interface WantedNamespace {
  readonly name: string;
  readonly lifecycle: NamespaceLifecycle;
  /** The virtual cluster that it is for: one namespace is ours for one virtual cluster. */
  readonly cluster: string;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The namespace is not as its lifecycle wants it. */
export class NamespaceError extends OperationError {
  override readonly name = 'NamespaceError';
}

/** Of all annotations that say something about whose a namespace is. */
export const ownPrefix = 'cdktf-vcluster/';
/** On a namespace of ours: the virtual cluster it is for. */
export const ownedByAnnotation = 'cdktf-vcluster/namespace-of';
/** On a namespace of ours: which of its labels and annotations are from us, so that they can be taken back. */
const ourMetadataAnnotation = 'cdktf-vcluster/namespace-metadata';

const goneTimeoutMs = 300_000;
/** What a cluster has of its own must not become anybody's to delete; Kubernetes keeps the prefix to itself. */
function isReserved(name: string): boolean {
  return name === 'default' || name.startsWith('kube-');
}

type Words = Readonly<Record<string, string>>;

export interface NamespaceProblem {
  /** In words, with what to do. */
  readonly detail: string;
  /** It only has to be made, which somebody else may be about to do. */
  readonly isMissing: boolean;
}

/** What would be refused; undefined when nothing. Reads only. @throws HostError */
export async function namespaceProblem(
  host: Host,
  wanted: WantedNamespace,
  { signal }: OperationOptions = {},
): Promise<NamespaceProblem | undefined> {
  const seen = await look(host, wanted, signal);
  return seen && problemOf(wanted, seen.found);
}

interface Seen {
  /** Undefined when the host has none of that name. */
  readonly found: HostObject | undefined;
}

/** Undefined when the account may not look, and need not: whoever only uses a namespace may have rights inside of it alone. */
function look(
  host: Host,
  { name, lifecycle }: Pick<WantedNamespace, 'name' | 'lifecycle'>,
  signal: AbortSignal | undefined,
): Promise<Seen | undefined> {
  const looking = host.tryGet(kinds.namespaces, { name }, { signal }).then((found) => ({ found }));
  return lifecycle === 'keep' ? ifAllowed(looking) : looking;
}

/** The same, from what the host has under that name. Pure. */
function problemOf(wanted: WantedNamespace, found: HostObject | undefined): NamespaceProblem | undefined {
  const { name, lifecycle } = wanted;
  if (found === undefined && lifecycle === 'keep') return { detail: missingText(name), isMissing: true };
  const detail = refusal(wanted, found);
  return detail === undefined ? undefined : { detail, isMissing: false };
}

function refusal(wanted: WantedNamespace, found: HostObject | undefined): string | undefined {
  const { name, lifecycle } = wanted;
  if (lifecycle !== 'keep' && isReserved(name)) {
    return `Namespace "${name}" belongs to the host cluster itself. Choose another one, or the namespace lifecycle "keep".`;
  }
  if (found === undefined) return undefined;
  if (found.metadata.deletionTimestamp !== undefined) {
    return `Namespace "${name}" is being deleted. Wait until it is gone, or choose another one.`;
  }
  return lifecycle === 'keep' ? undefined : ownershipProblem(wanted, found.metadata.annotations?.[ownedByAnnotation]);
}

function missingText(name: string): string {
  const advice = 'Create it, or let it be created by the namespace lifecycle "create".';
  return `Namespace "${name}" does not exist, and its lifecycle is "keep". ${advice}`;
}

function ownershipProblem(
  { name, lifecycle, cluster }: WantedNamespace,
  owner: string | undefined,
): string | undefined {
  if (owner !== undefined && owner !== cluster) {
    return `Namespace "${name}" is managed for the virtual cluster "${owner}". Choose another one.`;
  }
  if (owner !== undefined || lifecycle === 'adopt') return undefined;
  return (
    `Namespace "${name}" exists already and was not made for this virtual cluster. Choose another one, or the namespace ` +
    'lifecycle "adopt" (it is taken over, and deleted at the end) or "keep" (it is used as it is, and stays).'
  );
}

/**
 * Makes it as wanted: labels and annotations that we set before and that are no longer wanted are removed, others' are kept.
 * @throws NamespaceError, HostError
 */
export async function applyNamespace(
  host: Host,
  wanted: WantedNamespace,
  options: OperationOptions = {},
): Promise<void> {
  const { signal, log } = options;
  const { name, lifecycle } = wanted;
  const seen = await look(host, wanted, signal);
  if (seen === undefined) return;
  const { found } = seen;
  const problem = problemOf(wanted, found);
  if (problem !== undefined) throw new NamespaceError(`Namespace "${name}" cannot be used`, problem.detail);
  if (lifecycle === 'keep') return;
  if (found === undefined) {
    log?.(`namespace ${name} is created`);
    await create(host, wanted, options);
    return;
  }
  await change(host, wanted, found, options);
}

async function change(
  host: Host,
  wanted: WantedNamespace,
  found: HostObject,
  { signal, log }: OperationOptions,
): Promise<void> {
  const { name } = wanted;
  const patch = namespacePatch(wanted, found);
  if (patch === undefined) return;
  log?.(
    `namespace ${name} is ${found.metadata.annotations?.[ownedByAnnotation] === undefined ? 'taken over' : 'changed'}`,
  );
  // The version guards against a namespace that was deleted and made again meanwhile by somebody else.
  const { uid, resourceVersion } = found.metadata;
  await host.patch(kinds.namespaces, { name }, { metadata: { ...patch, uid, resourceVersion } }, { signal });
}

async function create(host: Host, wanted: WantedNamespace, options: OperationOptions): Promise<void> {
  const { name, labels = {} } = wanted;
  const metadata = { name, labels, annotations: wantedAnnotations(wanted) };
  try {
    await host.create(kinds.namespaces, undefined, { metadata }, { signal: options.signal });
  } catch (error) {
    // Somebody was faster: then it is looked at as any that exists.
    if (!(error instanceof HostConflictError)) throw error;
    await applyNamespace(host, wanted, options);
  }
}

function wantedAnnotations({ cluster, labels = {}, annotations = {} }: WantedNamespace): Words {
  const ours = { labels: Object.keys(labels).toSorted(), annotations: Object.keys(annotations).toSorted() };
  return { ...annotations, [ownedByAnnotation]: cluster, [ourMetadataAnnotation]: JSON.stringify(ours) };
}

/** What has to change in the metadata, as a merge patch; undefined when nothing has. Pure. */
export function namespacePatch(
  wanted: WantedNamespace,
  { metadata }: HostObject,
): { readonly labels: Changes; readonly annotations: Changes } | undefined {
  const before = oursOf(metadata.annotations);
  const labels = changes(wanted.labels ?? {}, metadata.labels ?? {}, before.labels);
  const annotations = changes(wantedAnnotations(wanted), metadata.annotations ?? {}, before.annotations);
  if (Object.keys(labels).length + Object.keys(annotations).length === 0) return undefined;
  return { labels, annotations };
}

type Changes = Readonly<Record<string, string | null>>;

function changes(wanted: Words, live: Words, ours: readonly string[]): Changes {
  const set = Object.entries(wanted).filter(([key, value]) => live[key] !== value);
  const gone = ours.filter((key) => !(key in wanted) && key in live).map((key) => [key, null] as const);
  return Object.fromEntries([...set, ...gone]);
}

function oursOf(annotations: Words = {}): {
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
} {
  try {
    const written = JSON.parse(annotations[ourMetadataAnnotation] ?? '{}') as Record<string, unknown>;
    const words = (key: string): readonly string[] => (Array.isArray(written[key]) ? written[key].map(String) : []);
    return { labels: words('labels'), annotations: words('annotations') };
  } catch {
    // Somebody has edited it: then nothing is known to be ours to remove.
    return { labels: [], annotations: [] };
  }
}

/** Labels and annotations that were set here, as they are now; none when the namespace is not there. */
export async function managedMetadata(
  host: Host,
  name: string,
  { signal }: OperationOptions = {},
): Promise<{ readonly labels: Words; readonly annotations: Words }> {
  const { metadata } = (await host.tryGet(kinds.namespaces, { name }, { signal })) ?? { metadata: { name } };
  const { labels = {}, annotations = {} }: HostObject['metadata'] = metadata;
  const ours = oursOf(annotations);
  const picked = (words: Words, keys: readonly string[]): Words =>
    Object.fromEntries(Object.entries(words).filter(([key]) => keys.includes(key)));
  return { labels: picked(labels, ours.labels), annotations: picked(annotations, ours.annotations) };
}

/** Lines of drift of a namespace that is ours: gone, being deleted, no longer ours, `label: was → is`. @throws HostError */
export async function namespaceDrift(
  host: Host,
  wanted: WantedNamespace,
  { signal }: OperationOptions = {},
): Promise<readonly string[]> {
  const seen = await look(host, wanted, signal);
  return seen === undefined ? [] : driftIn(wanted, seen.found);
}

function driftIn(wanted: WantedNamespace, found: HostObject | undefined): readonly string[] {
  const { name, lifecycle } = wanted;
  if (found === undefined) return [`namespace ${name} is gone`];
  if (found.metadata.deletionTimestamp !== undefined) return [`namespace ${name} is being deleted`];
  if (lifecycle === 'keep') return [];
  if (found.metadata.annotations?.[ownedByAnnotation] !== wanted.cluster) {
    return [`namespace ${name} is no longer marked as made for ${wanted.cluster}`];
  }
  return [
    ...differences(`namespace ${name}: label`, wanted.labels ?? {}, found.metadata.labels ?? {}),
    ...differences(`namespace ${name}: annotation`, wanted.annotations ?? {}, found.metadata.annotations),
  ];
}

function differences(what: string, wanted: Words, live: Words): readonly string[] {
  return Object.entries(wanted)
    .filter(([key, value]) => live[key] !== value)
    .map(([key, value]) => `${what} ${key}: "${value}" → ${live[key] === undefined ? 'gone' : `"${live[key]}"`}`);
}

type NamespaceRef = Pick<WantedNamespace, 'name' | 'lifecycle' | 'cluster'>;

/** The namespace when it is there, ours, and to be deleted with the virtual cluster. @throws HostError */
export async function ownNamespace(
  host: Host,
  { name, lifecycle, cluster }: NamespaceRef,
  { signal }: OperationOptions = {},
): Promise<HostObject | undefined> {
  if (lifecycle === 'keep' || isReserved(name)) return undefined;
  const found = await host.tryGet(kinds.namespaces, { name }, { signal });
  return found?.metadata.annotations?.[ownedByAnnotation] === cluster ? found : undefined;
}

/**
 * Deletes it when it is ours, and waits until it is gone. @returns false when it is not ours, or not there
 * @throws NamespaceError when it is not gone in time, with what holds it
 */
export async function removeNamespace(host: Host, ref: NamespaceRef, options: WaitOptions = {}): Promise<boolean> {
  const { signal, log } = options;
  const { name } = ref;
  const found = await ownNamespace(host, ref, { signal });
  if (found === undefined) return false;
  const { uid } = found.metadata;
  log?.(`namespace ${name} is deleted`);
  await host.delete(kinds.namespaces, { name, uid }, { signal });
  let last: HostObject | undefined = found;
  const isGone = await waitFor(options.timeoutMs ?? goneTimeoutMs, signal, async () => {
    last = await host.tryGet(kinds.namespaces, { name }, { signal });
    return last === undefined || last.metadata.uid !== uid;
  });
  if (isGone) return true;
  throw new NamespaceError(
    `Namespace "${name}" is not gone yet`,
    `${holdingWords(last)} Deleting again goes on waiting. Nothing is forced.`,
  );
}

interface NamespaceCondition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

/** What the host says keeps a namespace from going. Pure. */
export function holdingWords(namespace: HostObject): string {
  const conditions = (namespace.status?.['conditions'] ?? []) as readonly NamespaceCondition[];
  const holding = conditions.filter(({ type, status }) => status === 'True' && type !== 'NamespaceDeletionDiscovery');
  const said = holding.map(({ message = '' }) => message.trim()).filter((message) => message !== '');
  return said.length === 0 ? 'The host is still deleting it.' : said.join('. ').replace(/\.?$/, '.');
}
