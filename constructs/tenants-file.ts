/**
 * A list of tenants from a YAML or JSON file, checked against a schema before anything is synthesised. Every problem is told with file,
 * line, tenant and reason, all of them at once; a file with a problem yields no tenants at all.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Document, LineCounter, Node } from 'yaml';
import { nameProblem } from '../config/names.ts';
import type { Quantity } from '../config/option.ts';
import { tryThousandths } from './quantities.ts';
import { yaml } from './yaml.ts';

/** What a field of a tenant can hold. */
interface FieldValues {
  readonly string: string;
  readonly number: number;
  readonly boolean: boolean;
  /** Such as `500m`, `2` or `16Gi`. */
  readonly quantity: Quantity;
  readonly strings: readonly string[];
  /** A map of strings. */
  readonly labels: Readonly<Record<string, string>>;
}

type FieldType = keyof FieldValues;

/** The fields a tenant has besides its name; those that end in `?` may be left out. */
export type TenantSchema = Readonly<Record<string, FieldType | `${FieldType}?`>>;

/** Anything with a name that a virtual cluster can have. */
export interface Tenant {
  readonly name: string;
}

type Optional<S> = { [K in keyof S]: S[K] extends `${FieldType}?` ? K : never }[keyof S];
type ValueOf<F> = F extends `${infer T extends FieldType}?`
  ? FieldValues[T]
  : F extends FieldType
    ? FieldValues[F]
    : never;

/** A tenant as a schema describes it. */
export type TenantOf<S extends TenantSchema> = Tenant & {
  readonly [K in Exclude<keyof S, Optional<S>>]: ValueOf<S[K]>;
} & {
  readonly [K in Optional<S>]?: ValueOf<S[K]>;
};

const defaultSchema = {
  group: 'string',
  cpu: 'quantity?',
  memory: 'quantity?',
  storage: 'quantity?',
  pods: 'number?',
  kubernetesVersion: 'string?',
  viewers: 'strings?',
  labels: 'labels?',
} as const;

/** The fields of a tenant where a program names none: `group`, and others that may be left out. */
export type DefaultTenantSchema = typeof defaultSchema;

const isString = (value: unknown): value is string => typeof value === 'string';
const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const expectations: Readonly<Record<FieldType, { words: string; holds: (value: unknown) => boolean }>> = {
  string: { words: 'a string', holds: (value) => isString(value) && value !== '' },
  number: { words: 'a number', holds: (value) => typeof value === 'number' && Number.isFinite(value) },
  boolean: { words: 'true or false', holds: (value) => typeof value === 'boolean' },
  quantity: {
    words: 'a quantity such as 500m, 2 or 16Gi',
    holds: (value) => (isString(value) || typeof value === 'number') && tryThousandths(value) !== undefined,
  },
  strings: { words: 'a list of strings', holds: (value) => Array.isArray(value) && value.every(isString) },
  labels: { words: 'a map of strings', holds: (value) => isPlain(value) && Object.values(value).every(isString) },
};

/** Where tenants were read; a tenant that was made in the program has no place. */
const places = new WeakMap<object, string>();

/** `file:line` of a tenant that loadTenants() has returned; undefined for any other, also for a copy. */
export function tryPlaceOf(tenant: object): string | undefined {
  return places.get(tenant);
}

/**
 * The tenants of a YAML or JSON file: a list, or a list under the key `tenants`. Each has a `name` and the fields of `schema`.
 *
 * ```yaml
 * # tenants.yaml
 * - { name: team-a, group: "oidc:team-a", cpu: 4 }
 * - { name: team-b, group: "oidc:team-b", cpu: 500m }
 * ```
 */
export function loadTenants(file: string | URL): readonly TenantOf<DefaultTenantSchema>[];
export function loadTenants<const S extends TenantSchema>(file: string | URL, schema: S): readonly TenantOf<S>[];
export function loadTenants(file: string | URL, schema: TenantSchema = defaultSchema): readonly Tenant[] {
  const path = isString(file) ? file : fileURLToPath(file);
  const shown = isString(file) ? file : relative(process.cwd(), path);
  const entries = read(path, shown);
  const problems = [...entries.flatMap((entry) => problemsOf(entry, schema)), ...duplicates(entries)];
  if (problems.length > 0)
    throw new Error(`The tenants cannot be used; nothing was synthesised.\n${problems.join('\n')}`);
  for (const { value, place } of entries) places.set(value as Tenant, place);
  return entries.map(({ value }) => value as Tenant);
}

/** One item of the list, before anything is known about it. */
interface Entry {
  readonly value: unknown;
  /** `file:line`. */
  readonly place: string;
  /** `file:line` of a field. */
  placeOf(field: string): string;
}

function read(path: string, shown: string): readonly Entry[] {
  const { LineCounter, parseDocument, isMap, isSeq } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(textOf(path, shown), { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) throw new Error(`${shown}:${lines.linePos(error.pos[0]).line}: ${error.message}`);
  const list = isMap(document.contents) ? document.get('tenants', true) : document.contents;
  if (!isSeq(list)) {
    throw new Error(
      `${shown}: the tenants must be a list, or a list under the key tenants, got: ${kindOf(document.toJS())}`,
    );
  }
  return list.items.map((item) => entryOf(item as Node, document, (node) => `${shown}:${lineOf(node, lines)}`));
}

function entryOf(item: Node, document: Document, placeOf: (node: Node) => string): Entry {
  const { isMap, isScalar } = yaml();
  const keys = isMap(item) ? item.items.map(({ key }) => key) : [];
  return {
    value: item.toJS(document),
    place: placeOf(item),
    placeOf: (field) => placeOf(keys.find((key): key is Node => isScalar(key) && key.value === field) ?? item),
  };
}

function lineOf(node: Node, lines: LineCounter): number {
  return lines.linePos(node.range?.[0] ?? 0).line;
}

function textOf(path: string, shown: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why =
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : String(error);
    throw new Error(`${shown}: the tenants cannot be read: ${why}. A relative path begins at ${process.cwd()}.`, {
      cause: error,
    });
  }
}

function problemsOf(entry: Entry, schema: TenantSchema): readonly string[] {
  const { value, place } = entry;
  if (!isPlain(value)) return [`${place}: a tenant must be an object, got: ${kindOf(value)}`];
  const { name } = value;
  if (!isString(name)) return [`${place}: a tenant must have a name, got: ${JSON.stringify(name)}`];
  const problem = nameProblem(name);
  const bad = problem === undefined ? [] : [`${entry.placeOf('name')}: ${problem}`];
  const fields = Object.entries(schema).flatMap(([field, type]) => {
    const reason = fieldProblem(field, type, value[field]);
    return reason === undefined ? [] : [`${entry.placeOf(field)}: tenant "${name}": ${reason}`];
  });
  const unknown = Object.keys(value).filter((key) => key !== 'name' && !Object.hasOwn(schema, key));
  const known = ['name', ...Object.keys(schema)].join(', ');
  const strange = unknown.map((key) => `${entry.placeOf(key)}: tenant "${name}": ${key} must be one of ${known}`);
  return [...bad, ...fields, ...strange];
}

function fieldProblem(field: string, type: TenantSchema[string], value: unknown): string | undefined {
  const isOptional = type.endsWith('?');
  if (value === undefined && isOptional) return undefined;
  const { words, holds } = expectations[type.replace('?', '') as FieldType];
  const text = JSON.stringify(value) ?? 'nothing';
  if (!holds(value)) return `${field} must be ${words}, got: ${text}`;
  // Whoever may write a line of the list may not write Terraform: `${file("…")}` would be read where the apply runs.
  return /[$%]\{/.test(text)
    ? `${field} must be without \${ and %{, which Terraform evaluates, got: ${text}`
    : undefined;
}

function duplicates(entries: readonly Entry[]): readonly string[] {
  const names = entries.map(({ value }) => (isPlain(value) ? value['name'] : undefined));
  return entries.flatMap((entry, index) => {
    const first = names.indexOf(names[index]);
    if (names[index] === undefined || first === index) return [];
    return [
      `${entry.placeOf('name')}: tenant ${JSON.stringify(names[index])} must be there once, got: also at ${entries[first]?.place}`,
    ];
  });
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : JSON.stringify(value);
}
