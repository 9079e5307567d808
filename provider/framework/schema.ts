/**
 * From declarations to protocol 6: types in Terraform's JSON notation, and Schema messages.
 */
import type { Draft } from '../wire/tables.ts';
import type { FunctionSchema, Schema, SchemaAttribute, SchemaObjectNestingMode } from '../wire/tfplugin6.ts';
import type { Attribute, Attributes, NestedType, ObjectType, CollectionType, Type } from './attributes.ts';
import type { FunctionType, Parameter } from './function.ts';
import type { Json } from './values.ts';

const text = new TextEncoder();

const nestings: Readonly<Record<NestedType['nested'], SchemaObjectNestingMode>> = {
  single: 'SINGLE',
  list: 'LIST',
  map: 'MAP',
  set: 'SET',
};

/** Tells the kinds of type apart, so that no reader of a type needs to know how they differ. */
export type TypeCase =
  | { readonly is: 'primitive'; readonly type: 'string' | 'bool' | 'number' }
  | { readonly is: 'dynamic' }
  | { readonly is: 'collection'; readonly type: CollectionType }
  | { readonly is: 'object'; readonly type: ObjectType }
  | { readonly is: 'nested'; readonly type: NestedType };

export function caseOf(type: Type): TypeCase {
  if (type === 'dynamic') return { is: 'dynamic' };
  if (typeof type === 'string') return { is: 'primitive', type };
  if ('collection' in type) return { is: 'collection', type };
  return 'object' in type ? { is: 'object', type } : { is: 'nested', type };
}

/** The nested type of an attribute, if it has one. */
export function nestedOf(type: Type): NestedType | undefined {
  const kind = caseOf(type);
  return kind.is === 'nested' ? kind.type : undefined;
}

/** A type in the notation of go-cty: `"string"`, `["list","string"]`, `["object",{…}]`. */
export function ctyOf(type: Type): Json {
  const kind = caseOf(type);
  switch (kind.is) {
    case 'primitive':
      return kind.type;
    case 'dynamic':
      return 'dynamic';
    case 'collection':
      return [kind.type.collection, kind.type.of];
    case 'object':
      return ['object', mapValues(kind.type.object, ctyOf)];
    case 'nested': {
      const one: Json = ['object', mapValues(kind.type.attributes, (attribute) => ctyOf(attribute.type))];
      return kind.type.nested === 'single' ? one : [kind.type.nested, one];
    }
    default:
      return kind satisfies never;
  }
}

/** The schema of everything that has attributes. */
export function schemaOf(attributes: Attributes, doc: string, version = 0): Draft<Schema> {
  return {
    version,
    block: { version, attributes: attributeSchemas(attributes), description: doc, descriptionKind: 'MARKDOWN' },
  };
}

/** The signature of a function. */
export function functionSchemaOf({ definition }: FunctionType): Draft<FunctionSchema> {
  return {
    parameters: definition.parameters.map((parameter: Parameter) => ({
      name: parameter.name,
      type: typeBytes(parameter.type),
      allowNullValue: parameter.nullable ?? false,
      allowUnknownValues: false,
      description: parameter.doc,
      descriptionKind: 'MARKDOWN' as const,
    })),
    return: { type: typeBytes(definition.returns) },
    summary: definition.summary,
    description: definition.doc,
    descriptionKind: 'MARKDOWN',
  };
}

/** True when Terraform lets the provider choose: declared so, or there is a default. */
export function isComputed(attribute: Attribute): boolean {
  return (attribute.computed ?? false) || attribute.default !== undefined;
}

function attributeSchemas(attributes: Attributes): readonly Draft<SchemaAttribute>[] {
  return Object.entries(attributes).map(([name, attribute]) => ({
    name,
    ...typeFields(attribute.type),
    description: attribute.doc,
    descriptionKind: 'MARKDOWN' as const,
    required: attribute.required ?? false,
    optional: attribute.optional ?? false,
    computed: isComputed(attribute),
    sensitive: attribute.sensitive ?? false,
    writeOnly: attribute.writeOnly ?? false,
    deprecated: attribute.deprecated !== undefined,
  }));
}

function typeFields(type: Type): Draft<Pick<SchemaAttribute, 'type' | 'nestedType'>> {
  const inner = nestedOf(type);
  if (inner === undefined) return { type: typeBytes(type) };
  return { nestedType: { attributes: attributeSchemas(inner.attributes), nesting: nestings[inner.nested] } };
}

function typeBytes(type: Type): Uint8Array {
  return text.encode(JSON.stringify(ctyOf(type)));
}

function mapValues<T>(record: Readonly<Record<string, T>>, of: (value: T) => Json): Record<string, Json> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value)]));
}
