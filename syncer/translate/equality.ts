/**
 * Sameness of JSON values as Kubernetes means it, and the patch that leads from one to the other.
 *
 * Numbers are compared by value, whatever their size and however they are written (model/json.ts). Keys are only ever read as
 * own properties: a tenant may call one `__proto__`.
 */
import { ExactNumber } from '../model/json.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** Whether two values mean the same: order of keys is irrelevant; missing, null, empty map and empty list are alike. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isObject(a) && isObject(b)) return equalMaps(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return equalLists(a, b);
  return equalNumbers(a, b) || (isBlank(a) && isBlank(b));
}

/** The JSON merge patch (RFC 7386) that makes `before` mean the same as `after`; undefined when it does already. */
export function mergePatch(before: object, after: object): object | undefined {
  const from = isObject(before) ? before : {};
  const to = isObject(after) ? after : {};
  // Every value is looked at once, however deep it is: a tenant decides how deep.
  const changes = keysOf(from, to).flatMap((key) => {
    const [old, next] = [own(from, key), own(to, key)];
    if (!isObject(old) || !isObject(next)) return equal(old, next) ? [] : [[key, next ?? null] as const];
    const inner = mergePatch(old, next);
    return inner === undefined ? [] : [[key, inner] as const];
  });
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}

/** Whether two resource quantities have the same value, such as `1000m` and `1`. */
export function equalQuantity(a: string | number, b: string | number): boolean {
  const left = parseQuantity(String(a));
  const right = parseQuantity(String(b));
  if (left === undefined || right === undefined) return String(a) === String(b);
  const exponent = Math.min(left.exponent, right.exponent);
  return scaled(left, exponent) === scaled(right, exponent);
}

function equalNumbers(a: unknown, b: unknown): boolean {
  const isExact = a instanceof ExactNumber || b instanceof ExactNumber;
  return isExact && isNumber(a) && isNumber(b) && equalQuantity(String(a), String(b));
}

function equalMaps(a: JsonObject, b: JsonObject): boolean {
  return (
    Object.keys(a).every((key) => equal(a[key], own(b, key))) &&
    Object.keys(b).every((key) => Object.hasOwn(a, key) || isBlank(b[key]))
  );
}

function equalLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, index) => equal(item, b[index]));
}

function isNumber(value: unknown): value is number | ExactNumber {
  return typeof value === 'number' || value instanceof ExactNumber;
}

function isBlank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.values(value).every(isBlank);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function keysOf(a: JsonObject, b: JsonObject): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

interface Quantity {
  readonly digits: bigint;
  readonly exponent: number;
}

const decimalExponents: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);
const binaryUnits = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
/** No quantity needs more; an exponent from a tenant must not make a number of a billion digits. */
const exponentMax = 100;

function parseQuantity(text: string): Quantity | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([a-zA-Z]*|[eE][+-]?\d+)$/u.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  const unit = parseSuffix(suffix);
  if (unit === undefined || whole + fraction === '') return undefined;
  const digits = BigInt(whole + fraction) * unit.factor;
  return { digits: sign === '-' ? -digits : digits, exponent: unit.exponent - fraction.length };
}

function parseSuffix(suffix: string): { factor: bigint; exponent: number } | undefined {
  const power = binaryUnits.indexOf(suffix);
  if (power > 0) return { factor: 1024n ** BigInt(power), exponent: 0 };
  const exponent =
    decimalExponents.get(suffix) ?? (/^[eE][+-]?\d+$/u.test(suffix) ? Number(suffix.slice(1)) : undefined);
  return exponent === undefined || Math.abs(exponent) > exponentMax ? undefined : { factor: 1n, exponent };
}

function scaled(quantity: Quantity, exponent: number): bigint {
  return quantity.digits * 10n ** BigInt(quantity.exponent - exponent);
}
