/**
 * Volumes on their way to the host. Every kind of volume stands in one table; a kind that does not is refused rather than
 * passed, because it might name a host object (POD-109).
 */
import type { Volume } from '../../model/kubernetes.ts';
import { changed, isJson, renamed, withHostField } from './rewriting.ts';
import type { Json, Referable, Rewriting } from './rewriting.ts';

type Rewrite = (source: Json, rewriting: Rewriting, volumeName: string) => Json;

const asIs: Rewrite = (source) => source;

const named =
  (field: string, kind: Referable): Rewrite =>
  (source, rewriting) =>
    renamed(source, field, kind, rewriting);

const secretIn =
  (field: string): Rewrite =>
  (source, rewriting) =>
    changed(source, field, (reference) => renamed(reference, 'name', 'secret', rewriting));

const downwardItems: Rewrite = (source, rewriting) => {
  const { items } = source;
  return Array.isArray(items)
    ? { ...source, items: items.map((item: unknown) => (isJson(item) ? withHostField(item, rewriting) : item)) }
    : source;
};

/** Keys of a projected source (POD-103). */
const projections: ReadonlyMap<string, Rewrite> = new Map([
  ['secret', named('name', 'secret')],
  ['configMap', named('name', 'configMap')],
  ['downwardAPI', downwardItems],
]);

const projected: Rewrite = (source, rewriting, volumeName) => {
  const { sources } = source;
  if (!Array.isArray(sources)) return source;
  return {
    ...source,
    sources: sources.map((each: unknown, index) => {
      if (!isJson(each)) return each;
      const token = each['serviceAccountToken'];
      return isJson(token)
        ? tokenProjection(token, tokenDataKey(volumeName, index), rewriting)
        : mapKnown(each, projections, rewriting, volumeName);
    }),
  };
};

/** Kinds of volume (POD-101, POD-105, POD-106). `ephemeral` has its own function, as it becomes another kind. */
const volumeKinds: ReadonlyMap<string, Rewrite> = new Map([
  ['configMap', named('name', 'configMap')],
  ['secret', named('secretName', 'secret')],
  ['persistentVolumeClaim', named('claimName', 'claim')],
  ['projected', projected],
  ['downwardAPI', downwardItems],
  ['azureFile', named('secretName', 'secret')],
  ['glusterfs', named('endpoints', 'endpoints')],
  ['csi', secretIn('nodePublishSecretRef')],
  ...['iscsi', 'rbd', 'flexVolume', 'cinder', 'cephfs', 'scaleIO', 'storageos'].map(
    (kind) => [kind, secretIn('secretRef')] as const,
  ),
  ...[
    'emptyDir',
    'hostPath',
    'image',
    'nfs',
    'fc',
    'gitRepo',
    'awsElasticBlockStore',
    'azureDisk',
    'flocker',
    'gcePersistentDisk',
    'photonPersistentDisk',
    'portworxVolume',
    'quobyte',
    'vsphereVolume',
  ].map((kind) => [kind, asIs] as const),
]);

/** The volume with all names and field paths of the host. Only for volumes that `unknownVolumeKind` has nothing against. */
export function volumeToHost(volume: Volume, rewriting: Rewriting): Volume {
  const { ephemeral, ...rest } = volume;
  if (isJson(ephemeral)) return { ...rest, persistentVolumeClaim: ephemeralClaim(volume.name, rewriting) };
  return { ...mapKnown(volume, volumeKinds, rewriting, volume.name), name: volume.name };
}

/** What this program does not know in a volume, as a path inside it. */
export function unknownVolumeKind(volume: Volume): string | undefined {
  const kinds = Object.keys(volume).filter((key) => key !== 'name');
  const unknown = kinds.find((kind) => kind !== 'ephemeral' && !volumeKinds.has(kind));
  if (unknown !== undefined) return unknown;
  const otherNamespace = kinds.flatMap((kind) => namespaceFields(kind, volume[kind]))[0];
  return otherNamespace ?? sourcesOf(volume).flatMap((source) => unknownProjection(source))[0];
}

/** Key of the token in the data of the pod's token Secret: unique, although a volume may hold several tokens (POD-115). */
export function tokenDataKey(volumeName: string, sourceIndex: number): string {
  return `${volumeName}.${sourceIndex}`;
}

/** The sources of a projected volume; none for other kinds. */
export function sourcesOf(volume: Volume): readonly Json[] {
  const { projected: source } = volume;
  const sources: unknown = isJson(source) ? source['sources'] : undefined;
  return Array.isArray(sources) ? sources.map((each: unknown) => (isJson(each) ? each : {})) : [];
}

/** The claim that the virtual ephemeral-volume controller makes; left alone, the host would make another (POD-102). */
function ephemeralClaim(volumeName: string, rewriting: Rewriting): Json {
  return { claimName: rewriting.rename('claim', `${rewriting.podName}-${volumeName}`) };
}

/** A host API server would issue a token of the host; ours comes out of the token Secret (POD-111, POD-118). */
function tokenProjection(token: Json, key: string, rewriting: Rewriting): Json {
  return { secret: { name: rewriting.tokenSecret, items: [{ key, path: token['path'], mode: 0o644 }] } };
}

function mapKnown(holder: Json, kinds: ReadonlyMap<string, Rewrite>, rewriting: Rewriting, volumeName: string): Json {
  return Object.fromEntries(
    Object.entries(holder).map(([kind, source]) => {
      const rewrite = kinds.get(kind);
      return [kind, rewrite !== undefined && isJson(source) ? rewrite(source, rewriting, volumeName) : source];
    }),
  );
}

/** `secretNamespace` and the like reach into other namespaces of the host. */
function namespaceFields(kind: string, source: unknown): readonly string[] {
  if (!isJson(source)) return [];
  return Object.keys(source)
    .filter((field) => /namespace$/iu.test(field))
    .map((field) => `${kind}.${field}`);
}

function unknownProjection(source: Json): readonly string[] {
  return Object.keys(source)
    .filter((kind) => kind !== 'serviceAccountToken' && !projections.has(kind))
    .map((kind) => `projected.${kind}`);
}
