/**
 * The words an attribute is declared with, and the types of the values that follow from a declaration.
 *
 * An attribute is data. Its schema on the wire, its page of the reference, its defaults and the TypeScript type that a
 * handler sees are all derived from it, so nothing about an attribute is written in a second place.
 */
import type { Diagnostic, Path } from './diagnostics.ts';
import type { Dynamic, Unknown, Value, ValueRecord } from './values.ts';

export type Primitive = 'string' | 'bool' | 'number' | 'dynamic';

export interface CollectionType {
  readonly collection: 'list' | 'set' | 'map';
  readonly of: Exclude<Primitive, 'dynamic'>;
}

/** An object without attributes of its own, for the parameters and results of functions. */
export interface ObjectType {
  readonly object: Readonly<Record<string, Type>>;
}

/** Nested attributes: `list` and `set` hold many such objects, `map` one under each key. */
export interface NestedType {
  readonly nested: 'single' | 'list' | 'map' | 'set';
  readonly attributes: Attributes;
}

/** What an attribute can hold. */
export type Type = Primitive | CollectionType | ObjectType | NestedType;

/** Looks at one known, non-null value. Must be pure; the same value is checked at validation, plan and apply. */
export type Check = (value: Value, path: Path) => readonly Diagnostic[];

export interface Attribute {
  readonly type: Type;
  /** Markdown, from one line up; the reference page carries it as it is. */
  readonly doc: string;
  /** The user must set it. Exactly one of `required`, `optional` and `computed`, or the last two together. */
  readonly required?: boolean;
  readonly optional?: boolean;
  /** The provider sets it: unknown while a creation is planned, kept on update unless `plan` says otherwise. */
  readonly computed?: boolean;
  /** Terraform hides it in its output. It is still in the state: see `writeOnly`. */
  readonly sensitive?: boolean;
  /** Handlers see it in `config` only; plan and state never hold it. Terraform 1.11 or newer. */
  readonly writeOnly?: boolean;
  /** The value when the user sets none. Goes with `optional`. Never for something inside a set. */
  readonly default?: Value;
  /** Shown as a warning when the attribute is used: what to use instead. */
  readonly deprecated?: string;
  /** Why a change needs a new object; people read it as a warning in the plan. Ends up as one sentence: no full stop. */
  readonly replace?: string;
  readonly check?: Check;
}

export interface Attributes {
  readonly [name: string]: Attribute;
}

/** A list of one primitive type. */
export function list<const P extends CollectionType['of']>(of: P): { readonly collection: 'list'; readonly of: P } {
  return { collection: 'list', of };
}

/** A set of one primitive type: an array without an order. */
export function set<const P extends CollectionType['of']>(of: P): { readonly collection: 'set'; readonly of: P } {
  return { collection: 'set', of };
}

/** A map from strings to one primitive type. */
export function map<const P extends CollectionType['of']>(of: P): { readonly collection: 'map'; readonly of: P } {
  return { collection: 'map', of };
}

/** An object for a function's parameter or result. */
export function object<const O extends ObjectType['object']>(members: O): { readonly object: O } {
  return { object: members };
}

/** Nested attributes. */
export function nested<const M extends NestedType['nested'], const A extends Attributes>(
  mode: M,
  attributes: A,
): { readonly nested: M; readonly attributes: A } {
  return { nested: mode, attributes };
}

interface PrimitiveValues {
  readonly string: string;
  readonly bool: boolean;
  readonly number: number;
  readonly dynamic: Dynamic;
}

type NestedValue<N extends NestedType, U> = N['nested'] extends 'single'
  ? ObjectOf<N['attributes'], U>
  : N['nested'] extends 'map'
    ? Readonly<Record<string, ObjectOf<N['attributes'], U> | U>>
    : readonly (ObjectOf<N['attributes'], U> | U)[];

type KnownValueOf<T extends Type, U> = T extends Primitive
  ? PrimitiveValues[T]
  : T extends CollectionType
    ? T['collection'] extends 'map'
      ? Readonly<Record<string, PrimitiveValues[T['of']] | U>>
      : readonly (PrimitiveValues[T['of']] | U)[]
    : T extends ObjectType
      ? { readonly [K in keyof T['object']]: ValueOf<T['object'][K], U> | null }
      : T extends NestedType
        ? NestedValue<T, U>
        : never;

/** The value of a type. `U` is `Unknown` where values may be unknown, `never` where all is known. */
export type ValueOf<T extends Type, U = never> = KnownValueOf<T, U> | U;

type Nullable<A extends Attribute> = A extends { readonly required: true } | { readonly default: NonNullable<Value> }
  ? never
  : null;

type Members<A extends Attributes, U> = {
  readonly [K in keyof A as string extends K ? never : K]: ValueOf<A[K]['type'], U> | Nullable<A[K]>;
};

/**
 * An object of the attributes `A`, each of them present; `null` where an attribute is neither required nor has a default.
 * Attributes that are built at run time have no names to know: they are in a plain record.
 */
export type ObjectOf<A extends Attributes, U = never> = string extends keyof A
  ? Members<A, U> & ValueRecord
  : Members<A, U>;

/** An object while Terraform plans: anything may still be unknown. */
export type PlannedOf<A extends Attributes> = ObjectOf<A, Unknown>;

/**
 * Attributes that are built at run time beside attributes written down, whose names and types stay known to handlers.
 * (A plain `{ ...built, name: … }` would make TypeScript forget that there are others.)
 */
export function together<const A extends Attributes>(named: A, built: Attributes): A & Attributes {
  const twice = Object.keys(built).filter((name) => name in named);
  if (twice.length > 0) throw new Error(`Attributes declared twice: ${twice.join(', ')}`);
  return { ...named, ...built };
}
