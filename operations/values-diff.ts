/** What has changed between two sets of chart values, `path: was → is`. Pure. */

type Fields = Readonly<Record<string, unknown>>;

/** A line for each value that differs; a key without a value, or an empty map, is like none. */
export function valuesDiff(was: unknown, is: unknown, path = ''): readonly string[] {
  const [before, after] = [fieldsOf(was), fieldsOf(is)];
  if (before !== undefined && after !== undefined) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
    return keys.flatMap((key) => valuesDiff(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  return textOf(was) === textOf(is) ? [] : [`${path}: ${shown(was)} → ${shown(is)}`];
}

function fieldsOf(value: unknown): Fields | undefined {
  if (value === undefined || value === null) return {};
  return typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** The same for the same content, whatever the order of keys; a number (of a quantity) is the same as its text. */
function textOf(value: unknown): string {
  const plain = (_: string, each: unknown): unknown => (typeof each === 'number' ? String(each) : each);
  return JSON.stringify(sorted(value), plain) ?? '';
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, entry]) => [key, sorted(entry)]));
}

const lengthMax = 120;

/** A value as it is shown to people. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  const text = JSON.stringify(sorted(value));
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text;
}
