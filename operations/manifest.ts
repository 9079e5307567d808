/**
 * Whether what a release put onto the host is still there as it was put: is the manifest contained in the live objects? Pure.
 *
 * The host adds defaults, and others may add labels, annotations or list entries: additions are no drift. Quantities and
 * durations are compared by what they mean, list entries by their keys where they have one.
 */
import { parseAllDocuments } from 'yaml';
import type { HostObject } from './types.ts';

/** An object of a manifest. */
export interface ManifestObject extends HostObject {
  readonly apiVersion: string;
  readonly kind: string;
}

/** The objects of a release's manifest, in its order. */
export function objectsOf(manifest: string): readonly ManifestObject[] {
  // YAML 1.1, as Helm and the API server read it: `defaultMode: 0440` is octal.
  return parseAllDocuments(manifest, { version: '1.1' })
    .map((document) => document.toJS() as ManifestObject | null)
    .filter((object) => object !== null && typeof object === 'object' && 'kind' in object);
}

/** A field of the manifest that the live object has with another value. */
export interface Difference {
  /** As in `spec.template.spec.containers[etcd].image`. */
  readonly path: string;
  readonly was: unknown;
  /** Undefined: gone. */
  readonly is: unknown;
}

/** What of `wanted` is not in `live`. */
export function differences(wanted: unknown, live: unknown, path = ''): readonly Difference[] {
  if (isEmpty(wanted)) return [];
  if (Array.isArray(wanted))
    return Array.isArray(live) ? listDifferences(wanted, live, path) : [{ path, was: wanted, is: live }];
  if (isRecord(wanted))
    return isRecord(live) ? recordDifferences(wanted, live, path) : [{ path, was: wanted, is: live }];
  return meansTheSame(wanted, live) ? [] : [{ path, was: wanted, is: live }];
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields that the host does not give back as they were written. */
function recordDifferences(wanted: Fields, live: Fields, path: string): readonly Difference[] {
  return Object.entries(wanted).flatMap(([key, value]) => differences(value, live[key], joined(path, key)));
}

function joined(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) return `${path}["${key}"]`;
  return path === '' ? key : `${path}.${key}`;
}

/** What tells the entries of a list apart, the best first; as the API server's own merging does it. */
const listKeys: readonly (readonly string[])[] = [
  ['name'],
  ['mountPath'],
  ['containerPort', 'protocol'],
  ['port', 'protocol'],
  ['topologyKey'],
  ['ip'],
];

function listDifferences(wanted: readonly unknown[], live: readonly unknown[], path: string): readonly Difference[] {
  const entries = wanted.filter(isRecord);
  const keys = entries.length === wanted.length ? keysOf(entries) : undefined;
  if (keys === undefined) return unkeyed(wanted, live, path);
  return entries.flatMap((entry, index) => {
    const identity = keys.map((key) => entry[key]);
    const found = live.find(
      (candidate) => isRecord(candidate) && keys.every((key, at) => candidate[key] === identity[at]),
    );
    const place = `${path}[${typeof identity[0] === 'string' ? identity[0] : index}]`;
    return found === undefined ? [{ path: place, was: entry, is: undefined }] : differences(entry, found, place);
  });
}

function keysOf(entries: readonly Fields[]): readonly string[] | undefined {
  for (const keys of listKeys) {
    const [first = ''] = keys;
    const present = keys.filter((key) => entries.every((entry) => entry[key] !== undefined));
    const identities = new Set(entries.map((entry) => present.map((key) => String(entry[key])).join('/')));
    if (present.includes(first) && identities.size === entries.length) return present;
  }
  return undefined;
}

/** Lists of words say something by their order (a command line) and have to be equal; of others each entry has to be there. */
function unkeyed(wanted: readonly unknown[], live: readonly unknown[], path: string): readonly Difference[] {
  if (wanted.every((entry) => isRecord(entry))) {
    return wanted
      .map((entry, index) => ({ entry, place: `${path}[${index}]` }))
      .filter(({ entry }) => !live.some((candidate) => differences(entry, candidate).length === 0))
      .map(({ entry, place }) => ({ path: place, was: entry, is: undefined }));
  }
  if (wanted.length !== live.length) return [{ path, was: wanted, is: live }];
  return wanted.flatMap((entry, index) => differences(entry, live[index], `${path}[${index}]`));
}

/** A default, written out or not, is the same. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.keys(value).length === 0;
}

function meansTheSame(wanted: unknown, live: unknown): boolean {
  if (wanted === live) return true;
  // Booleans and zeros that are the default are often left out by the host.
  if (live === undefined) return wanted === false || wanted === 0;
  if (!isScalar(wanted) || !isScalar(live)) return false;
  return String(wanted) === String(live) || isSameAmount(String(wanted), String(live));
}

/** `1m` can be a quantity as well as a duration: what both sides can be is what counts. */
function isSameAmount(left: string, right: string): boolean {
  return [quantity, durationMs].some((amount) => isClose(amount(left), amount(right)));
}

function isClose(left: number | undefined, right: number | undefined): boolean {
  return left !== undefined && right !== undefined && Math.abs(left - right) <= Math.abs(left) * 1e-12;
}

const multipliers: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a quantity of Kubernetes stands for; undefined when it is none. */
export function quantity(text: string): number | undefined {
  const found = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([numkMGTPE]?|[KMGTPE]i)$/i.exec(text);
  const multiplier = multipliers[found?.[2] ?? 'none'];
  return found === null || multiplier === undefined ? undefined : Number(found[1]) * multiplier;
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration such as `1m30s`; undefined when it is none. */
export function durationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ''] ?? 0), 0);
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
