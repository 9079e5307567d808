/**
 * Puts lists back that somebody has edited in an object of a release. Helm merges lists by their keys: when an entry got another
 * key (a port its number), Helm would add the old one beside it, which the host refuses. Everything else Helm repairs by itself.
 */
import { HostConflictError, HostRefusedError, ifAllowed } from './host-errors.ts';
import type { Host } from './host.ts';
import { kindOf } from './kind-paths.ts';
import { differences, objectsOf } from './manifest.ts';
import type { ManifestObject } from './manifest.ts';
import type { Release } from './release-record.ts';
import type { HostObject, OperationOptions } from './types.ts';

/** Only lists in which an entry is missing or has another key are written. @throws HostError */
export async function repairLists(host: Host, release: Release, { signal, log }: OperationOptions = {}): Promise<void> {
  const repair = async (object: ManifestObject): Promise<void> => {
    const kind = await kindOf(host, object, { signal });
    if (kind === undefined) return;
    const { name, namespace = release.namespace } = object.metadata;
    const live = await ifAllowed(host.tryGet(kind, { namespace, name }, { signal }));
    const patch = live && listPatch(object, live);
    if (patch === undefined) return;
    log?.(`${object.kind} ${namespace}/${name} was changed outside; it is put back`);
    try {
      await host.patch(kind, { namespace, name }, patch, { signal });
    } catch (error) {
      // Then Helm tries, and tells why it cannot be.
      if (!(error instanceof HostRefusedError || error instanceof HostConflictError)) throw error;
    }
  };
  await Promise.all(objectsOf(release.manifest).map(repair));
}

/** Another name, port or place makes another entry of it. */
const mergeKey = /\]\.(name|port|containerPort|protocol|mountPath)$/;

type Fields = Readonly<Record<string, unknown>>;

/** Whole lists of the manifest in the place of those that lack an entry; undefined when there is none. Pure. */
export function listPatch(wanted: ManifestObject, live: HostObject): object | undefined {
  const lists = differences(wanted, live)
    .filter(({ path, is }) => (is === undefined || mergeKey.test(path)) && /^[\w.-]+\[[^"]/.test(path))
    .map(({ path }) => path.slice(0, path.indexOf('[')).split('.'));
  if (lists.length === 0) return undefined;
  const { resourceVersion } = live.metadata;
  const start: Fields = { metadata: { resourceVersion } };
  return lists.reduce((patch, path) => withList(patch, wanted as unknown as Fields, path), start);
}

/** The patch, and in it what the manifest has at a path. */
function withList(patch: Fields, source: Fields, [key = '', ...rest]: readonly string[]): Fields {
  if (rest.length === 0) return { ...patch, [key]: source[key] };
  return { ...patch, [key]: withList((patch[key] ?? {}) as Fields, (source[key] ?? {}) as Fields, rest) };
}
