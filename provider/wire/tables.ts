/**
 * The shape of the generated tables (tfplugin6.ts) and the types that go with them. Pure types: nothing here runs.
 *
 * A message as it comes from the wire has every scalar, list and map (absent = the default of its type, as proto3 says);
 * sub-messages, members of a oneof and fields marked `optional` are there only when they were sent. A message to be sent
 * may leave out anything (`Draft`).
 */

/** An int64 of the wire: a number when it is safe to be one, else a bigint. Both compare with `<` and may be sent. */
export type Int64 = number | bigint;

/** Kinds of field that are one value on the wire and not a message of their own. */
export type ScalarKind = 'string' | 'bytes' | 'bool' | 'int32' | 'uint32' | 'int64';

/** One field of a message. */
export interface FieldRow {
  readonly number: number;
  readonly name: string;
  readonly kind: ScalarKind | 'message' | 'enum';
  /** The message or enum, for these two kinds. */
  readonly of?: string;
  /** `map`: keys are strings; `presence`: absent and default are told apart (oneof, `optional`). */
  readonly shape?: 'repeated' | 'map' | 'presence';
  /** At most one of the fields with the same name here is set. */
  readonly oneof?: string;
}

/** Fields by message. */
export type MessageTables = Readonly<Record<string, readonly FieldRow[]>>;

/** Numbers by name, by enum. */
export type EnumTables = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** One RPC: its messages by their names in the tables, and which side may send more than one. */
export interface MethodRow {
  readonly request: string;
  readonly response: string;
  readonly streams?: 'response' | 'both';
}

/** RPCs by name, by full name of the service. */
export type ServiceTables = Readonly<Record<string, Readonly<Record<string, MethodRow>>>>;

/** What may be sent as a `T`: everything in it may be left out, at any depth. */
export type Draft<T> = T extends Uint8Array | string | number | bigint | boolean | undefined
  ? T
  : T extends readonly (infer E)[]
    ? readonly Draft<E>[]
    : { readonly [K in keyof T]?: Draft<T[K]> | undefined };
