/**
 * The values that Terraform and a handler exchange, as JavaScript has them.
 *
 * Invariant: an object always holds every attribute that its declaration names; what was not given is `null`. What
 * Terraform does not know yet is `UNKNOWN`, at whatever depth. A set is an array without an order.
 */

declare const unknownMark: unique symbol;

/** The type of `UNKNOWN`, and of nothing else. (Not a `unique symbol`, which TypeScript widens in every object literal.) */
export interface Unknown {
  readonly [unknownMark]: true;
}

/** Stands where Terraform does not know the value yet ("known after apply"). A symbol; ask with `isUnknown`. */
export const UNKNOWN: Unknown = Symbol('known after apply') as unknown as Unknown;

/** An object, or a map, of values. */
export interface ValueRecord {
  readonly [key: string]: Value;
}

/** Anything that an attribute can hold. */
export type Value = null | Unknown | string | boolean | number | readonly Value[] | ValueRecord | Dynamic;

/** JSON, which is what Terraform keeps in a state and beside it. */
export type Json = null | string | boolean | number | readonly Json[] | JsonRecord;

export interface JsonRecord {
  readonly [key: string]: Json;
}

/**
 * The value of an attribute of type `dynamic`, together with the type that the user's expression had: Terraform tells a
 * list from a tuple, so a value handed back with another type would count as another value.
 */
export class Dynamic {
  /** The type in Terraform's JSON notation, such as `"string"` or `["list","string"]`. */
  readonly type: Json;
  readonly value: Value;

  constructor(type: Json, value: Value) {
    this.type = type;
    this.value = value;
  }
}

/** True for a value that is not known yet as a whole. */
export function isUnknown(value: unknown): value is Unknown {
  return value === UNKNOWN;
}

/** True for a map or an object: neither a list nor one of the scalar values. */
export function isRecord(value: unknown): value is ValueRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Dynamic);
}

/** True when nothing inside the value is unknown. */
export function isWhollyKnown(value: Value): boolean {
  if (isUnknown(value)) return false;
  if (Array.isArray(value)) return value.every(isWhollyKnown);
  if (value instanceof Dynamic) return isWhollyKnown(value.value);
  return isRecord(value) ? Object.values(value).every(isWhollyKnown) : true;
}
