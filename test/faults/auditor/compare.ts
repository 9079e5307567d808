/**
 * Whether a virtual object and its copy say the same: identity and labels, then what matters of each kind. Every difference is a
 * sentence; none means that they agree.
 */
import { isDeepStrictEqual } from 'node:util';
import { at, hostNameOf, isReserved, listAt, marks } from './words.ts';
import type { Plural, Release, Thing } from './words.ts';

export interface Couple {
  readonly virtual: Thing;
  readonly host: Thing;
  readonly release: Release;
}

type Compare = (couple: Couple) => readonly string[];

const byKind: Readonly<Record<string, Compare>> = {
  pods: (couple) => [...podSpecs(couple), ...podStates(couple)],
  services,
  configmaps: ({ virtual, host }) => sameFields(virtual, host, ['data', 'binaryData', 'immutable']),
  secrets: ({ virtual, host }) => sameFields(virtual, host, ['data', 'immutable']),
};

export function differences(plural: Plural, couple: Couple): readonly string[] {
  return [...identity(couple), ...labels(couple), ...(byKind[plural]?.(couple) ?? [])];
}

function identity({ virtual, host, release }: Couple): readonly string[] {
  const { name, namespace = '', uid } = virtual.metadata;
  const expected: Readonly<Record<string, string>> = {
    [marks.objectName]: name,
    [marks.objectNamespace]: namespace,
    [marks.objectUid]: uid,
    [marks.objectHostName]: hostNameOf(name, namespace, release),
  };
  const wrong = Object.entries(expected).filter(([key, value]) => host.metadata.annotations?.[key] !== value);
  const owned = host.metadata.ownerReferences?.some(
    ({ kind, name: owner }) => kind === 'Service' && owner === release.name,
  );
  return [
    ...wrong.map(([key, value]) => `annotation ${key} is ${host.metadata.annotations?.[key]}, not ${value}`),
    ...(owned === true ? [] : [`it is not owned by Service ${release.name}`]),
  ];
}

function labels({ virtual, host, release }: Couple): readonly string[] {
  const own = Object.entries(virtual.metadata.labels ?? {}).filter(([key]) => !isReserved(key));
  const expected = { ...Object.fromEntries(own), ...scope(virtual, release) };
  const wrong = Object.entries(expected).filter(([key, value]) => host.metadata.labels?.[key] !== value);
  return wrong.map(([key, value]) => `label ${key} is ${host.metadata.labels?.[key]}, not ${value}`);
}

/** What keeps a selector inside one virtual namespace (SVC-01, LAB-04). */
function scope({ metadata }: Thing, release: Release): Readonly<Record<string, string>> {
  return { [marks.managedBy]: release.name, [marks.namespace]: metadata.namespace ?? '' };
}

function services({ virtual, host, release }: Couple): readonly string[] {
  const fields = ['type', 'clusterIP', 'clusterIPs', 'externalName', 'sessionAffinity', 'externalTrafficPolicy'];
  const spec = sameFields(at(virtual, 'spec'), at(host, 'spec'), fields);
  const ports = same(
    'spec.ports',
    listAt(virtual, 'spec', 'ports').map((port) => picked(port, portFields)),
    listAt(host, 'spec', 'ports').map((port) => picked(port, portFields)),
  );
  const selector = (at(virtual, 'spec', 'selector') ?? {}) as Readonly<Record<string, string>>;
  const isReservedFree = Object.keys(selector).every((key) => !isReserved(key));
  const expected = Object.keys(selector).length === 0 ? {} : { ...selector, ...scope(virtual, release) };
  return [
    ...spec,
    ...ports,
    ...(isReservedFree ? same('spec.selector', expected, at(host, 'spec', 'selector') ?? {}) : []),
    ...same('status.loadBalancer', at(virtual, 'status', 'loadBalancer'), at(host, 'status', 'loadBalancer')),
  ];
}

const portFields = ['name', 'port', 'protocol', 'targetPort', 'nodePort', 'appProtocol'];
const containerFields = ['image', 'command', 'args', 'workingDir', 'ports'];

/** Fields that the host may neither change nor lose; what its admission adds is its own business. */
function podSpecs({ virtual, host, release }: Couple): readonly string[] {
  const fields = ['restartPolicy', 'terminationGracePeriodSeconds', 'activeDeadlineSeconds', 'hostNetwork'];
  const containers = ['containers', 'initContainers'].flatMap((field) =>
    listAt(virtual, 'spec', field).flatMap((container) => {
      const name = at(container, 'name');
      const copy = listAt(host, 'spec', field).find((other) => at(other, 'name') === name);
      if (copy === undefined) return [`container ${String(name)} is missing`];
      return sameFields(container, copy, containerFields);
    }),
  );
  const volumes = listAt(virtual, 'spec', 'volumes').flatMap((volume) => volumeOf(volume, { virtual, host, release }));
  return [...sameFields(at(virtual, 'spec'), at(host, 'spec'), fields), ...containers, ...volumes];
}

/** A volume refers to the copy of what the tenant named, and to nothing else (POD-109). */
function volumeOf(volume: unknown, { virtual, host, release }: Couple): readonly string[] {
  const name = String(at(volume, 'name'));
  const copy = listAt(host, 'spec', 'volumes').find((other) => at(other, 'name') === name);
  if (copy === undefined) return [`volume ${name} is missing`];
  const names = [
    ['configMap', 'name'],
    ['secret', 'secretName'],
    ['persistentVolumeClaim', 'claimName'],
  ] as const;
  return names.flatMap((path) => {
    const wanted = at(volume, ...path);
    if (typeof wanted !== 'string') return [];
    const translated = hostNameOf(wanted, virtual.metadata.namespace ?? '', release);
    return same(`volume ${name}`, translated, at(copy, ...path));
  });
}

/** What the host tells about a pod, the tenant must see (POD-90). */
function podStates({ virtual, host }: Couple): readonly string[] {
  const fields = ['phase', 'startTime', 'podIP', 'podIPs', 'hostIP', 'containerStatuses', 'initContainerStatuses'];
  const conditions = (pod: Thing): object =>
    Object.fromEntries(
      listAt(pod, 'status', 'conditions')
        .filter((condition) => !String(at(condition, 'type')).includes('/'))
        .map((condition) => [at(condition, 'type'), at(condition, 'status')]),
    );
  return [
    ...same('spec.nodeName', at(virtual, 'spec', 'nodeName'), at(host, 'spec', 'nodeName')),
    ...sameFields(at(virtual, 'status'), at(host, 'status'), fields, 'status'),
    ...same('status.conditions', conditions(virtual), conditions(host)),
  ];
}

function sameFields(virtual: unknown, host: unknown, fields: readonly string[], of = ''): readonly string[] {
  return fields.flatMap((field) => same(of === '' ? field : `${of}.${field}`, at(virtual, field), at(host, field)));
}

function picked(thing: unknown, fields: readonly string[]): object {
  return Object.fromEntries(fields.map((field) => [field, at(thing, field)]));
}

function same(what: string, virtual: unknown, host: unknown): readonly string[] {
  if (isDeepStrictEqual(plain(virtual), plain(host))) return [];
  return [`${what} is ${shown(virtual)} in the virtual cluster and ${shown(host)} on the host`];
}

/** Nothing, empty and absent are one and the same to an API server. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(plain);
  if (typeof value !== 'object' || value === null) return value === null || value === '' ? undefined : value;
  const entries = Object.entries(value).map(([key, inner]) => [key, plain(inner)] as const);
  const full = entries.filter(([, inner]) => inner !== undefined);
  return full.length === 0 ? undefined : Object.fromEntries(full);
}

/** Never the data of a Secret: reports are logs. */
function shown(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 60)}… (${text.length} characters)` : text;
}
