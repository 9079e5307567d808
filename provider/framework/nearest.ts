/**
 * The word somebody probably meant.
 */

/** How many letters must be inserted, removed, changed or swapped with their neighbour to make `b` of `a`. */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= b.length; column += 1) line.push(cell({ a, b, row, column, line, above, before }));
    before = above;
    above = line;
  }
  return above[b.length] ?? 0;
}

interface Cell {
  readonly a: string;
  readonly b: string;
  readonly row: number;
  readonly column: number;
  readonly line: readonly number[];
  readonly above: readonly number[];
  readonly before: readonly number[];
}

function cell({ a, b, row, column, line, above, before }: Cell): number {
  const at = (from: readonly number[], index: number): number => from[index] ?? Infinity;
  const change = a[row - 1] === b[column - 1] ? 0 : 1;
  const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
  return Math.min(
    at(line, column - 1) + 1,
    at(above, column) + 1,
    at(above, column - 1) + change,
    swapped ? at(before, column - 2) + 1 : Infinity,
  );
}

/** The nearest of some words, when it is near enough to be a slip: a third of its letters, or the same but for case. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const lower = word.toLowerCase();
  const ranked = words
    .map((candidate) => ({ candidate, away: distance(lower, candidate.toLowerCase()) }))
    .toSorted((a, b) => a.away - b.away);
  const [best] = ranked;
  if (best === undefined) return undefined;
  return best.away <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined;
}
