/**
 * Chart values as attributes of `vcluster_cluster`: a plan then tells of `logging.level` and not of one long text, and a value that only
 * Terraform knows leaves all others known. Options get their names in Terraform; the keys of maps are the user's. Pure.
 */
import { attributeName } from '../../config/attribute-name.ts';
import { isOption } from '../../config/option.ts';
import type { Option, OptionTree } from '../../config/option.ts';
import { options } from '../../config/options.ts';
import { isTree, verbatimText } from '../values.ts';
import type { ValuesTree } from '../values.ts';

/** What came of chart values. */
export interface AsAttributes {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** What attributes cannot say: a whole branch that only Terraform knows, and Helm's `global`. */
  readonly rest: ValuesTree;
}

/** The attributes that chart values stand for; values are not checked. */
export function asAttributes(values: ValuesTree, tree: OptionTree = options): AsAttributes {
  const attributes: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    const part = partOf(value, Object.hasOwn(tree, key) ? tree[key] : undefined);
    if (part.attribute !== undefined) attributes[attributeName(key)] = part.attribute;
    if (part.rest !== undefined) rest[key] = part.rest;
  }
  return { attributes, rest };
}

function partOf(value: unknown, node: Option | OptionTree | undefined): { attribute?: unknown; rest?: unknown } {
  if (node === undefined) return { rest: value };
  if (isOption(node)) return { attribute: optionValue(value) };
  if (!isTree(value)) return { rest: value };
  const { attributes, rest } = asAttributes(value, node);
  return { attribute: unlessEmpty(attributes), rest: unlessEmpty(rest) };
}

function unlessEmpty(object: ValuesTree): ValuesTree | undefined {
  return Object.keys(object).length === 0 ? undefined : object;
}

/** Objects in a list (tolerations, references) have declared members; any other object is a map. */
function optionValue(value: unknown): unknown {
  if (typeof value === 'string') return verbatimText(value);
  if (Array.isArray(value)) return value.map((item: unknown) => (isTree(item) ? renamed(item) : optionValue(item)));
  return isTree(value) ? mapped(value, (key) => key) : value;
}

function renamed(item: ValuesTree): ValuesTree {
  return mapped(item, attributeName);
}

function mapped(map: ValuesTree, name: (key: string) => string): ValuesTree {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [name(key), optionValue(value)]));
}
