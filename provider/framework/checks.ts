/**
 * Checks that attributes are declared with. Each says what the value must be, what it is, and what was probably meant.
 *
 * A check sees one known value and must be pure. A sensitive attribute's value is never repeated (`secret: true`).
 */
import type { Check } from './attributes.ts';
import { failure } from './diagnostics.ts';
import { nearest } from './nearest.ts';
import { isRecord } from './values.ts';

const invalid = 'Invalid value';

/** One of a few words. */
export function oneOf(...allowed: readonly string[]): Check {
  return (value, path) => {
    if (typeof value !== 'string' || allowed.includes(value)) return [];
    const near = nearest(value, allowed);
    const list = allowed.map((word) => JSON.stringify(word)).join(', ');
    const hint = near === undefined ? '' : ` Did you mean ${JSON.stringify(near)}?`;
    return [failure(invalid, `It must be one of ${list}, got: ${JSON.stringify(value)}.${hint}`, path)];
  };
}

/** Text of a certain form; `mustBe` reads after "It must be ". */
export function matches(pattern: RegExp, mustBe: string, options: { readonly secret?: boolean } = {}): Check {
  return text((value) => (pattern.test(value) ? undefined : mustBe), options);
}

/** Text that `wrong` finds nothing to say about; else it returns what the text must be, after "It must be ". */
export function text(wrong: (value: string) => string | undefined, options: { readonly secret?: boolean } = {}): Check {
  return (value, path) => {
    const mustBe = typeof value === 'string' ? wrong(value) : undefined;
    if (mustBe === undefined) return [];
    const got = options.secret ? '' : `, got: ${JSON.stringify(value)}`;
    return [failure(invalid, `It must be ${mustBe}${got}.`, path)];
  };
}

/** A whole number between two bounds, both included. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): Check {
  const range = max === Number.MAX_SAFE_INTEGER ? `${String(min)} or more` : `from ${String(min)} to ${String(max)}`;
  return (value, path) => {
    if (typeof value !== 'number' || (Number.isInteger(value) && value >= min && value <= max)) return [];
    return [failure(invalid, `It must be a whole number ${range}, got: ${String(value)}.`, path)];
  };
}

/** The same check for every element of a list, a set or a map; the path then names the element. */
export function each(check: Check): Check {
  return (value, path) => {
    if (Array.isArray(value)) return value.flatMap((item, index) => check(item, [...path, index]));
    if (isRecord(value)) return Object.entries(value).flatMap(([key, item]) => check(item, [...path, key]));
    return [];
  };
}

/** Several checks; all of them are made. */
export function all(...checks: readonly Check[]): Check {
  return (value, path) => checks.flatMap((check) => check(value, path));
}
