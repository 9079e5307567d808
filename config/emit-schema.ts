/**
 * Turns the declared options into JSON schema (draft-07), which Helm applies to the values of an installation.
 *
 * A key that is not declared is refused everywhere; `global` is allowed because Helm puts it into the values of every
 * chart that is a dependency of another. Pure and deterministic: the emitted file is committed.
 */
import { docOf, isOption, tolerationEffects, tolerationOperators } from './option.ts';
import type { Option, OptionTree, OptionType } from './option.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

const quantity: JsonSchema = {
  type: ['string', 'number'],
  pattern: '^[0-9]+(\\.[0-9]+)?(m|k|K|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei|e[0-9]+)?$',
};

const stringMap: JsonSchema = { type: 'object', additionalProperties: { type: 'string' } };

const byType: Readonly<Record<OptionType, JsonSchema>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  quantity,
  // Which releases exist is said by the chart in words (templates/validation.yaml); a pattern cannot say what to do.
  version: { type: 'string', pattern: '^v?[0-9]+\\.[0-9]+(\\.[0-9]+)?$' },
  strings: { type: 'array' },
  stringMap,
  resources: closed({
    requests: { type: 'object', additionalProperties: quantity },
    limits: { type: 'object', additionalProperties: quantity },
  }),
  tolerations: {
    type: 'array',
    items: closed({
      key: { type: 'string' },
      operator: { type: 'string', enum: tolerationOperators },
      value: { type: 'string' },
      effect: { type: 'string', enum: tolerationEffects },
      tolerationSeconds: { type: 'integer', minimum: 0 },
    }),
  },
  references: {
    type: 'array',
    items: { ...closed({ name: { type: 'string', minLength: 1 } }), required: ['name'] },
  },
};

/** The schema of one option. */
export function optionSchema(option: Option): JsonSchema {
  return {
    ...byType[option.type],
    ...(option.values && { enum: option.values }),
    ...(option.type === 'strings'
      ? { items: { type: 'string', ...(option.pattern && { pattern: option.pattern }) } }
      : option.pattern && { pattern: option.pattern }),
    description: docOf(option),
    default: option.default,
  };
}

/** The schema of a whole values file. */
export function valuesSchema(tree: OptionTree): JsonSchema {
  const { properties } = branchSchema(tree) as { properties: Record<string, JsonSchema> };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of a virtual cluster',
    ...closed({ global: { type: 'object', description: 'Accepted because Helm adds it; not read.' }, ...properties }),
  };
}

function branchSchema(tree: OptionTree): JsonSchema {
  return closed(
    Object.fromEntries(
      Object.entries(tree).map(([key, node]) => [key, isOption(node) ? optionSchema(node) : branchSchema(node)]),
    ),
  );
}

function closed(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', additionalProperties: false, properties };
}
