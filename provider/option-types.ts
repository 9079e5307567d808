/**
 * What an option of config/ is in Terraform: one row for each type an option can have, total, so that a new type does not compile
 * until it has a row.
 *
 * Invariant: `toChart` and `fromChart` are inverse to each other for every value that the option accepts, but for numbers where a
 * quantity may also be text: in Terraform a quantity is always text. What is not known yet stays so. Pure.
 */
import { optionProblems } from '../config/parse.ts';
import { tolerationEffects, tolerationOperators } from '../config/option.ts';
import type { Option, OptionType } from '../config/option.ts';
import { list, map, nested } from './framework/attributes.ts';
import type { Attributes, Check, Type } from './framework/attributes.ts';
import { all, oneOf, wholeNumber } from './framework/checks.ts';
import { failure, pathText } from './framework/diagnostics.ts';
import type { Path } from './framework/diagnostics.ts';
import { isRecord, isUnknown } from './framework/values.ts';
import type { Value, ValueRecord } from './framework/values.ts';

/** A chart value, or a part of one; `UNKNOWN` may stand anywhere while Terraform plans. */
export type ChartValue = Value | undefined;

interface OptionForm {
  readonly type: Type;
  /** What the chart gets. The value is neither null nor unknown as a whole. */
  toChart(value: Value): Value;
  /** What Terraform gets; undefined when the chart value cannot be written in this form. */
  fromChart(value: unknown): Value | undefined;
}

const resourceAttributes: Attributes = {
  requests: { type: map('string'), optional: true, doc: 'What is reserved, such as `{ cpu = "50m" }`.' },
  limits: { type: map('string'), optional: true, doc: 'What may be used at most.' },
};

const tolerationAttributes: Attributes = {
  key: { type: 'string', optional: true, doc: 'Key of the taint.' },
  operator: {
    type: 'string',
    optional: true,
    doc: '`Exists` or `Equal` (Kubernetes takes `Equal` when it is not set).',
    check: named(oneOf(...tolerationOperators)),
  },
  value: { type: 'string', optional: true, doc: 'Value of the taint, for `Equal`.' },
  effect: {
    type: 'string',
    optional: true,
    doc: 'Effect of the taint; all effects when it is not set.',
    check: named(oneOf(...tolerationEffects)),
  },
  toleration_seconds: {
    type: 'number',
    optional: true,
    doc: 'For `NoExecute`: how long the taint is tolerated.',
    check: named(wholeNumber(0)),
  },
};

const referenceAttributes: Attributes = {
  name: { type: 'string', required: true, doc: 'Name of the object.' },
};

/** Members of a toleration in the chart, by their names in Terraform. */
const tolerationMembers: Readonly<Record<string, string>> = {
  key: 'key',
  operator: 'operator',
  value: 'value',
  effect: 'effect',
  toleration_seconds: 'tolerationSeconds',
};

const forms: Readonly<Record<OptionType, OptionForm>> = {
  string: scalar('string', isText),
  version: scalar('string', isText),
  boolean: scalar('bool', (value) => (typeof value === 'boolean' ? value : undefined)),
  quantity: scalar('string', quantityText),
  strings: {
    type: list('string'),
    toChart: (value) => value,
    fromChart: (value) => (Array.isArray(value) ? whole(value.map(isText)) : undefined),
  },
  stringMap: {
    type: map('string'),
    toChart: (value) => value,
    fromChart: (value) => mapOf(value, isText),
  },
  resources: {
    type: nested('single', resourceAttributes),
    toChart: renamed({ requests: 'requests', limits: 'limits' }),
    fromChart: (value) =>
      membersOf({ requests: 'requests', limits: 'limits' }, value, (part) => mapOf(part, quantityText)),
  },
  tolerations: listOf(tolerationAttributes, tolerationMembers, isTextOrNumber),
  references: listOf(referenceAttributes, { name: 'name' }, isText),
};

/** The form of an option. */
export function formOf(option: Option): OptionForm {
  return forms[option.type];
}

/** What is checked of an option's value besides its type: the words it may be, its form, and for a version that it exists. */
export function checkOf(option: Option): Check {
  const form = formOf(option);
  const words: Check = option.values ? named(oneOf(...option.values)) : () => [];
  return all(words, (value, path) => {
    if (option.values || hasUnknown(value)) return [];
    return [...optionProblems(form.toChart(value), option, pathText(path))].map((text) => failureOf(text, path));
  });
}

/** The same check with the place in its words: Terraform shows the line of the block only for what lies inside of an object. */
function named(check: Check): Check {
  return (value, path) =>
    check(value, path).map((found) => ({ ...found, detail: found.detail.replace(/^It /, `${pathText(path)} `) }));
}

function failureOf(text: string, path: Path): ReturnType<typeof failure> {
  return failure('Invalid value', text, path);
}

function hasUnknown(value: Value): boolean {
  if (isUnknown(value)) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  return isRecord(value) && Object.values(value).some(hasUnknown);
}

function scalar(type: 'string' | 'bool', fromChart: (value: unknown) => Value | undefined): OptionForm {
  return { type, toChart: (value) => value, fromChart };
}

function isText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isTextOrNumber(value: unknown): Value | undefined {
  return typeof value === 'number' ? value : isText(value);
}

function quantityText(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : isText(value);
}

function listOf(
  attributes: Attributes,
  members: Readonly<Record<string, string>>,
  fromChart: (value: unknown) => Value | undefined,
): OptionForm {
  const toChart = renamed(members);
  return {
    type: nested('list', attributes),
    toChart: (value) =>
      Array.isArray(value) ? value.map((item: Value) => (isUnknown(item) ? item : toChart(item))) : value,
    fromChart: (value) =>
      Array.isArray(value) ? whole(value.map((item) => membersOf(members, item, fromChart))) : undefined,
  };
}

/** Makes of an object of Terraform one of the chart: other names, and without what is null. */
function renamed(members: Readonly<Record<string, string>>): (value: Value) => Value {
  return (value) => {
    if (!isRecord(value)) return value;
    const given = Object.entries(members).flatMap(([name, key]) => {
      const member = value[name];
      return member === undefined || member === null ? [] : [[key, member] as const];
    });
    return Object.fromEntries(given);
  };
}

/** The way back: every attribute is there; undefined when a member is unknown to Terraform or of another type. */
function membersOf(
  members: Readonly<Record<string, string>>,
  value: unknown,
  fromChart: (value: unknown) => Value | undefined,
): ValueRecord | undefined {
  if (!isPlain(value)) return undefined;
  const keys = Object.values(members);
  if (Object.keys(value).some((key) => !keys.includes(key))) return undefined;
  const entries = Object.entries(members).map(([name, key]) => {
    const member = value[key];
    return [name, member === undefined || member === null ? null : fromChart(member)] as const;
  });
  return recordOf(entries);
}

function mapOf(value: unknown, fromChart: (value: unknown) => Value | undefined): ValueRecord | undefined {
  return isPlain(value)
    ? recordOf(Object.entries(value).map(([key, member]) => [key, fromChart(member)] as const))
    : undefined;
}

function recordOf(entries: readonly (readonly [string, Value | undefined])[]): ValueRecord | undefined {
  const known = entries.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  return known.length === entries.length ? Object.fromEntries(known) : undefined;
}

function whole(values: readonly (Value | undefined)[]): readonly Value[] | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? known : undefined;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
