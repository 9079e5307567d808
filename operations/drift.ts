/**
 * What has changed outside of Terraform (or whoever owns the virtual cluster), as lines for people. Reads only; what the account
 * may not read is no drift.
 */
import { ifAllowed } from './host-errors.ts';
import { conditionsOf, isReady } from './conditions.ts';
import type { Host } from './host.ts';
import { kindOf } from './kind-paths.ts';
import { differences, objectsOf } from './manifest.ts';
import type { ManifestObject } from './manifest.ts';
import { valuesOf } from './release.ts';
import type { Release, WantedRelease } from './release.ts';
import { isPaused, kubeconfigSecretName, readSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import type { HostObject, OperationOptions } from './types.ts';
import { shown, valuesDiff } from './values-diff.ts';

export interface DriftOptions extends OperationOptions {
  /** Whether it is meant to be paused. */
  readonly paused?: boolean | undefined;
}

/**
 * Lines of drift, none when everything is as it was made: release missing or failed, values changed (`path: was → is`), objects
 * of the release edited or gone, Secret with the kubeconfig gone, pods not ready, paused or resumed by somebody else.
 * `wanted` is what was applied last. Not the version of the chart: a newer one is news of the installer. @throws HostError
 */
export async function findDrift(
  host: Host,
  wanted: WantedRelease,
  options: DriftOptions = {},
): Promise<readonly string[]> {
  const snapshot = await readSnapshot(host, wanted, options);
  const { release } = snapshot;
  if (release === undefined) return [`release ${wanted.name} is missing`, ...pauseDrift(snapshot, options)];
  return [
    ...releaseDrift(release),
    ...valuesDiff(valuesOf(wanted), release.values),
    ...(await objectDrift(host, snapshot, release, options)),
    ...pauseDrift(snapshot, options),
    ...readinessDrift(snapshot),
  ];
}

function releaseDrift({ status, description }: Release): readonly string[] {
  return status === 'deployed' ? [] : [`release: deployed → ${status} (${description})`];
}

async function objectDrift(
  host: Host,
  { namespace, statefulSet }: Snapshot,
  release: Release,
  { signal }: DriftOptions,
): Promise<readonly string[]> {
  const look = async (object: ManifestObject): Promise<readonly string[]> => {
    const { kind, metadata } = object;
    const path = await kindOf(host, object, { signal });
    const place = `${kind} ${metadata.name}`;
    if (path === undefined) return [`${place}: the host serves no ${object.apiVersion} ${kind} any more`];
    const reading = host.tryGet(path, { namespace: metadata.namespace ?? namespace, name: metadata.name }, { signal });
    const live = await ifAllowed(reading.then((found) => ({ found })));
    if (live === undefined) return [];
    return live.found === undefined ? [`${place} is gone`] : editsOf(object, live.found, isPaused(statefulSet));
  };
  return (await Promise.all(objectsOf(release.manifest).map(look))).flat();
}

/** Lines for what of a manifest's object is not as it was put. Pure. */
export function editsOf(wanted: ManifestObject, live: HostObject, paused: boolean): readonly string[] {
  const place = `${wanted.kind} ${wanted.metadata.name}`;
  if (live.metadata.deletionTimestamp !== undefined) return [`${place} is being deleted`];
  return differences(comparable(wanted, paused), live)
    .filter(({ path }) => path !== 'apiVersion' && path !== 'kind')
    .map(({ path, was, is }) => `${place}: ${path}: ${shown(was)} → ${shown(is)}`);
}

/** How many replicas there are to be is decided by whether it is paused, and by nothing that was rendered before that. */
function comparable(wanted: ManifestObject, paused: boolean): object {
  const { metadata, kind, spec } = wanted;
  const { namespace: _, ...rest } = metadata;
  const named = { ...wanted, metadata: rest };
  if (kind !== 'StatefulSet') return named;
  const rendered = Number(spec?.['replicas'] ?? 1);
  return { ...named, spec: { ...spec, replicas: paused ? 0 : Math.max(rendered, 1) } };
}

function pauseDrift({ statefulSet }: Snapshot, { paused }: DriftOptions): readonly string[] {
  const is = isPaused(statefulSet);
  return paused === undefined || statefulSet === undefined || is === paused ? [] : [`paused: ${paused} → ${is}`];
}

function readinessDrift(snapshot: Snapshot): readonly string[] {
  const { namespace, name, secret, statefulSet } = snapshot;
  const published =
    secret?.data?.['config'] === undefined
      ? [`Secret ${namespace}/${kubeconfigSecretName(name)} with the kubeconfig is gone`]
      : [];
  if (statefulSet === undefined || isPaused(statefulSet) || isReady(snapshot)) return published;
  const unready = conditionsOf(snapshot)
    .filter(({ type, status }) => status !== 'True' && (type === 'ControlPlaneReady' || type === 'SyncerReady'))
    .map(({ message, reason }) => `not ready: ${message} (${reason})`);
  const updating = published.length === 0 && unready.length === 0 ? ['not ready: its pod is being replaced'] : [];
  return [...published, ...new Set(unready), ...updating];
}
