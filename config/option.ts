/**
 * The words an option is declared with, and the types that follow from a declaration.
 *
 * An option is data: `{ type, default, doc }`. Everything else (JSON schema, Helm schema, reference page, TypeScript type,
 * validation) is derived from that data, so nothing about an option may be written in a second place.
 * A branch is an object of options; it is told from an option by its `doc`, which no branch may have.
 */

/** What an option can hold. A new kind needs a row in `ValueOf`, in emit-schema.ts and in parse.ts. */
export type OptionType =
  | 'string'
  | 'boolean'
  | 'quantity'
  | 'version'
  | 'strings'
  | 'stringMap'
  | 'resources'
  | 'tolerations'
  | 'references';

/** One option as it is declared. */
export interface Option {
  readonly type: OptionType;
  readonly default: unknown;
  /** One line for people; the reference page and the schema carry it as it is. */
  readonly doc: string;
  /** The only values a string may have. */
  readonly values?: readonly string[];
  /** A regular expression that a string, or each string of a list, must match. */
  readonly pattern?: string;
  /**
   * Why it cannot change once the virtual cluster exists; absent when it can. Whoever can replace a virtual cluster (Terraform)
   * does so when such an option changes, and gives this reason. Continues "Cannot be changed: "; no full stop.
   */
  readonly fixed?: string;
}

/** What people read about an option: its line, and why it cannot change when it cannot. */
export function docOf({ doc, fixed }: Option): string {
  return fixed === undefined ? doc : `${doc} Cannot be changed later: ${fixed}.`;
}

/** A branch of the options. */
export interface OptionTree {
  readonly [key: string]: Option | OptionTree;
}

/** A Kubernetes quantity such as `500m`, `1Gi` or `2`. */
export type Quantity = string | number;

export interface Resources {
  readonly requests?: Readonly<Record<string, Quantity>>;
  readonly limits?: Readonly<Record<string, Quantity>>;
}

export const tolerationOperators = ['Exists', 'Equal'] as const;
export const tolerationEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

export interface Toleration {
  readonly key?: string;
  readonly operator?: (typeof tolerationOperators)[number];
  readonly value?: string;
  readonly effect?: (typeof tolerationEffects)[number];
  readonly tolerationSeconds?: number;
}

/** A reference to an object of the same namespace, by name. */
export interface Reference {
  readonly name: string;
}

interface ValuesByType {
  readonly string: string;
  readonly boolean: boolean;
  readonly quantity: Quantity;
  readonly version: string;
  readonly strings: readonly string[];
  readonly stringMap: Readonly<Record<string, string>>;
  readonly resources: Resources;
  readonly tolerations: readonly Toleration[];
  readonly references: readonly Reference[];
}

type ValueOf<O extends Option> = O extends { readonly values: readonly (infer V)[] } ? V : ValuesByType[O['type']];

/** The values a user may give for a tree of options: each key may be left out. */
export type ValuesOf<T> = {
  readonly [K in keyof T]?: T[K] extends Option ? ValueOf<T[K]> : ValuesOf<T[K]>;
};

/** A value for each option of a tree. */
export type CompleteValuesOf<T> = {
  readonly [K in keyof T]: T[K] extends Option ? ValueOf<T[K]> : CompleteValuesOf<T[K]>;
};

/** Tells an option from a branch. */
export function isOption(node: Option | OptionTree): node is Option {
  return typeof node['doc'] === 'string';
}

/** Every option with its path, in the order of the declaration. */
export function* optionsOf(tree: OptionTree, path: readonly string[] = []): Generator<readonly [string, Option]> {
  for (const [key, node] of Object.entries(tree)) {
    const here = [...path, key];
    if (isOption(node)) yield [here.join('.'), node];
    else yield* optionsOf(node, here);
  }
}
