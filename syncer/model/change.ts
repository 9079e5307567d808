/** What a cache tells of one object: its state before and after, and where it stood and stands in the indexes. */
import type { Kind } from './kind.ts';
import type { KubeObject } from './object.ts';
import type { Side } from './side.ts';

/** A value under which an object stands in an index. */
export interface IndexValue {
  readonly index: string;
  readonly value: string;
}

export interface StoreChange {
  readonly side: Side;
  readonly kind: Kind;
  readonly before: KubeObject | undefined;
  readonly after: KubeObject | undefined;
  /** Where the object stood in the indexes, and where it stands now. */
  readonly was: readonly IndexValue[];
  readonly is: readonly IndexValue[];
  /** The queue key whose plan has written this and needs no further look. */
  readonly by?: string | undefined;
}

export function standsUnder(values: readonly IndexValue[], index: string, value: string): boolean {
  return values.some((each) => each.index === index && each.value === value);
}
