/**
 * Terraform's types as they are written in a schema and beside a `dynamic` value, and its numbers, which are decimal and have
 * no size. Both encodings of a value (msgpack.ts, json-value.ts) are read by these rules.
 */
import { DecodeError } from './errors.ts';

export type CtyPrimitive = 'string' | 'number' | 'bool' | 'dynamic';

export type CtyComplex =
  | readonly ['list' | 'set' | 'map', CtyType]
  | readonly ['tuple', readonly CtyType[]]
  | readonly ['object', Readonly<Record<string, CtyType>>];

/** A type in Terraform's own JSON notation: what a schema says, what stands beside a `dynamic` value. */
export type CtyType = CtyPrimitive | CtyComplex;

/** Deeper than any schema or sane value; a bound for the recursion on data from outside. */
export const depthMax = 256;

const primitives: ReadonlySet<unknown> = new Set(['string', 'number', 'bool', 'dynamic'] satisfies CtyPrimitive[]);

type Parse = (of: unknown, inner: (each: unknown) => CtyType) => CtyType | undefined;

const complexes: Readonly<Record<string, Parse>> = {
  list: (of, inner) => ['list', inner(of)],
  set: (of, inner) => ['set', inner(of)],
  map: (of, inner) => ['map', inner(of)],
  tuple: (of, inner) => (Array.isArray(of) ? ['tuple', of.map(inner)] : undefined),
  object: (of, inner) => {
    if (typeof of !== 'object' || of === null || Array.isArray(of)) return undefined;
    return ['object', Object.fromEntries(Object.entries(of).map(([name, type]) => [name, inner(type)]))];
  },
};

/** Checks that JSON is a type. */
export function typeFromJson(json: unknown, where: string, depth = 0): CtyType {
  if (depth > depthMax) throw new DecodeError(`${where}: the type is nested deeper than ${depthMax}.`);
  if (primitives.has(json)) return json as CtyPrimitive;
  const [kind, of]: readonly unknown[] = Array.isArray(json) ? json : [];
  const parse = typeof kind === 'string' && Object.hasOwn(complexes, kind) ? complexes[kind] : undefined;
  const type = parse?.(of, (each) => typeFromJson(each, where, depth + 1));
  if (type === undefined) throw new DecodeError(`${where}: this is not one of Terraform's types.`);
  return type;
}

/**
 * A decimal number as a JavaScript number. One that would come back with other digits is refused: Terraform has digits
 * without end (2^53 + 1 is an ordinary number there), and a changed digit would look like a change by the user.
 */
export function numberOf(decimal: string, where: string): number {
  const number = Number(decimal);
  const digits = digitsOf(decimal);
  if (digits === undefined || !Number.isFinite(number)) throw new DecodeError(`${where}: this is not a number.`);
  if (digits !== digitsOf(String(number))) {
    throw new DecodeError(
      `${where}: this number has more digits than this provider can hold without changing it (about 16). ` +
        'Give a shorter number.',
    );
  }
  return number === 0 ? 0 : number;
}

/** Sign, digits and exponent in one form per number; undefined when it is none. */
function digitsOf(decimal: string): string | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,6}))?$/i.exec(decimal);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = (whole + fraction).replace(/^0+/, '');
  const short = digits.replace(/0+$/, '');
  if (short === '') return '0';
  const scale = Number(exponent) - fraction.length + (digits.length - short.length);
  return `${sign === '-' ? '-' : ''}${short}e${scale}`;
}
