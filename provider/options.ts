/**
 * The options of config/ as attributes of Terraform: every branch a nested attribute, every option an attribute, in snake_case.
 * And the values of such attributes as chart values, and back.
 *
 * Generic over the tree: an option that is added to config/ is here without an edit. Only options are renamed, never the keys of a
 * map, which are the user's. An attribute that is null is left to the chart's default, which therefore never stands in a state.
 * Pure.
 */
import { attributeName } from '../config/attribute-name.ts';
import { docOf, isOption } from '../config/option.ts';
import type { Option, OptionTree } from '../config/option.ts';
import { options } from '../config/options.ts';
import { nested } from './framework/attributes.ts';
import type { Attribute, Attributes } from './framework/attributes.ts';
import { pathText, warning } from './framework/diagnostics.ts';
import type { Diagnostic, Path } from './framework/diagnostics.ts';
import { isRecord, isUnknown, UNKNOWN } from './framework/values.ts';
import type { Value, ValueRecord } from './framework/values.ts';
import { checkOf, formOf } from './option-types.ts';

/** An attribute for every branch and option of the tree. */
export function optionAttributes(tree: OptionTree = options, above: readonly string[] = []): Attributes {
  return Object.fromEntries(
    Object.entries(tree).map(([key, node]) => {
      const path = [...above, key];
      return [attributeName(key), isOption(node) ? optionAttribute(node) : branchAttribute(node, path)];
    }),
  );
}

/** The place of an option in Terraform: `['controlPlane', 'distro']` as `['control_plane', 'distro']`. */
export function attributePath(keys: readonly string[]): Path {
  return keys.map(attributeName);
}

/**
 * Chart values of attributes; undefined when nothing is set. What is unknown is `UNKNOWN` there too, at whatever depth.
 * Members of `attributes` that are no options are not looked at.
 */
export function chartValues(attributes: Value, tree: OptionTree = options): ValueRecord | undefined {
  if (!isRecord(attributes)) return undefined;
  const entries = Object.entries(tree).flatMap(([key, node]) => {
    const value = chartValue(attributes[attributeName(key)] ?? null, node);
    return value === undefined ? [] : [[key, value] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** What came of chart values: `attributes` has each name of the tree; `rest` is what attributes cannot say. */
export interface FromChart {
  readonly attributes: ValueRecord;
  readonly rest: Readonly<Record<string, unknown>> | undefined;
}

/** The way back from chart values, as Helm keeps them. Null, as Helm means it, removes a default and is of the rest. */
export function attributesOf(values: unknown, tree: OptionTree = options): FromChart {
  const given = isPlain(values) ? values : {};
  const attributes: Record<string, Value> = {};
  const rest: Record<string, unknown> = Object.fromEntries(
    Object.entries(given).filter(([key]) => !Object.hasOwn(tree, key)),
  );
  for (const [key, node] of Object.entries(tree)) {
    const back = attributeOf(given[key], node);
    attributes[attributeName(key)] = back.value;
    if (back.rest !== undefined) rest[key] = back.rest;
  }
  return { attributes, rest: Object.keys(rest).length === 0 ? undefined : rest };
}

/**
 * Warnings about objects that are given but hold nothing. Terraform drops a misspelt name in a nested attribute without a word
 * before the provider sees it, and an object with nothing left is the trace of that.
 */
export function emptyBranches(attributes: Value, tree: OptionTree = options, path: Path = []): readonly Diagnostic[] {
  if (!isRecord(attributes)) return [];
  return Object.entries(tree).flatMap(([key, node]) => {
    const name = attributeName(key);
    const value = attributes[name];
    if (isOption(node) || !isRecord(value)) return [];
    const here = [...path, name];
    if (Object.values(value).some((member) => member !== null)) return emptyBranches(value, node, here);
    const known = Object.keys(node).map(attributeName).join(', ');
    return [
      warning(
        'An object without any option',
        `Nothing that is known is set in ${pathText(here)}. Terraform ignores a misspelt name inside of an object without a word. Known here: ${known}.`,
        here,
      ),
    ];
  });
}

function optionAttribute(option: Option): Attribute {
  return {
    type: formOf(option).type,
    optional: true,
    doc: `${docOf(option)}${formText(option)} Default: \`${JSON.stringify(option.default)}\`.`,
    check: checkOf(option),
  };
}

function formText(option: Option): string {
  if (option.values) return ` One of ${option.values.map((value) => `\`${value}\``).join(', ')}.`;
  return option.pattern === undefined ? '' : ` Form: \`${option.pattern}\`.`;
}

function branchAttribute(tree: OptionTree, path: readonly string[]): Attribute {
  return {
    type: nested('single', optionAttributes(tree, path)),
    optional: true,
    doc: `Options of \`${path.join('.')}\`: ${Object.keys(tree)
      .map((key) => `\`${attributeName(key)}\``)
      .join(', ')}.`,
  };
}

function chartValue(value: Value, node: Option | OptionTree): Value | undefined {
  if (value === null) return undefined;
  if (isUnknown(value)) return UNKNOWN;
  return isOption(node) ? formOf(node).toChart(value) : chartValues(value, node);
}

interface Back {
  readonly value: Value;
  readonly rest?: unknown;
}

function attributeOf(value: unknown, node: Option | OptionTree): Back {
  if (value === undefined) return { value: null };
  if (isOption(node)) {
    const back = value === null ? undefined : formOf(node).fromChart(value);
    return back === undefined ? { value: null, rest: value } : { value: back };
  }
  if (!isPlain(value)) return { value: null, rest: value };
  const { attributes, rest } = attributesOf(value, node);
  const isSet = Object.values(attributes).some((member) => member !== null);
  return { value: isSet ? attributes : null, ...(rest !== undefined && { rest }) };
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
