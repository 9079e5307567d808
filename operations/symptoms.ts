/** Reads what tells why a virtual cluster is not ready. Reads only; what the account may not see is left out. */
import { ifAllowed } from './host-errors.ts';
import { OperationError } from './errors.ts';
import { kinds } from './host.ts';
import type { Host } from './host.ts';
import { masked, printable } from './mask.ts';
import type { Snapshot } from './snapshot.ts';
import type { HostObject } from './types.ts';

export interface HostEvent {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly involvedObject: {
    readonly kind?: string;
    readonly name?: string;
    readonly uid?: string;
    /** Which container, as in `spec.containers{etcd}`. */
    readonly fieldPath?: string;
  };
}

/** All that is looked at. */
export interface Symptoms {
  readonly snapshot: Snapshot;
  /** Of the namespace, those about the StatefulSet, its pod and its volume. */
  readonly events: readonly HostEvent[];
  readonly claim: HostObject | undefined;
  /** Undefined when this account may not list them. */
  readonly storageClasses: readonly HostObject[] | undefined;
}

const linesMax = 10;
const lineLengthMax = 300;
/** Nobody reads more, and a line has no other bound. */
const logBytesMax = 64 * 1024;

/** @throws HostError */
export async function readSymptoms(host: Host, snapshot: Snapshot, signal?: AbortSignal): Promise<Symptoms> {
  const { namespace, name } = snapshot;
  const [events, claim, storageClasses] = await Promise.all([
    ifAllowed(host.list<HostEvent>(kinds.events, namespace, { signal })),
    ifAllowed(host.tryGet(kinds.persistentVolumeClaims, { namespace, name: `data-${name}-0` }, { signal })),
    ifAllowed(host.list(kinds.storageClasses, undefined, { signal })),
  ]);
  const known = new Set([name, `data-${name}-0`, ...snapshot.pods.map(({ metadata }) => metadata.name)]);
  const uids = new Set(snapshot.pods.map(({ metadata }) => metadata.uid));
  const isMeant = ({ involvedObject: { kind, name: about = '', uid } }: HostEvent): boolean =>
    // A pod has the name of the one before it.
    known.has(about) && (kind !== 'Pod' || uids.has(uid));
  return { snapshot, events: (events ?? []).filter(isMeant), claim, storageClasses };
}

interface LogSource {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Of the run before this one. */
  readonly previous: boolean;
}

/** The last lines of a container without anything secret; none when there are none to be had. */
export async function lastLines(host: Host, source: LogSource, signal?: AbortSignal): Promise<readonly string[]> {
  const { namespace, pod, container, previous } = source;
  const query = new URLSearchParams({
    container,
    tailLines: String(linesMax),
    limitBytes: String(logBytesMax),
    previous: String(previous),
  });
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log?${query.toString()}`;
  try {
    const said = await host.request('GET', path, undefined, { signal });
    const text = typeof said === 'string' ? said : JSON.stringify(said);
    return masked(text)
      .split('\n')
      .map((line) => printable(line).trimEnd())
      .filter((line) => line !== '')
      .map(shortened);
  } catch (error) {
    // There may be no log yet, or none any more; what is told without it is still true.
    if (error instanceof OperationError && signal?.aborted !== true) return [];
    throw error;
  }
}

function shortened(line: string): string {
  return line.length > lineLengthMax ? `${line.slice(0, lineLengthMax)}…` : line;
}
