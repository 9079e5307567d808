/**
 * Fills in the defaults: what a user wrote becomes a value for every option. Only for values that `valuesProblems` has nothing
 * against. A map, a list or an object that an option holds is taken whole: only branches are completed. Pure.
 */
import { isOption } from './option.ts';
import type { CompleteValuesOf, OptionTree, ValuesOf } from './option.ts';

/** A value for every option of the tree. */
export function completeValues<T extends OptionTree>(tree: T, values: ValuesOf<T> | undefined): CompleteValuesOf<T> {
  const given = (values ?? {}) as Readonly<Record<string, unknown>>;
  const entries = Object.entries(tree).map(([key, node]) => {
    const value = given[key];
    return [key, isOption(node) ? (value ?? node.default) : completeValues(node, value as ValuesOf<typeof node>)];
  });
  return Object.fromEntries(entries) as CompleteValuesOf<T>;
}
