import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from '../model/json.ts';
import { equal, equalQuantity, mergePatch } from './equality.ts';

// Numbers that JavaScript cannot hold are tried below.
const json = fc.jsonValue({ maxDepth: 4 });
const object = fc.dictionary(fc.oneof(fc.string({ maxLength: 3 }), fc.constant('__proto__')), json, {
  noNullPrototype: true,
});

/** RFC 7386, written after its pseudo code. */
function applied(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const result = new Map(isMap(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, applied(result.get(key), value));
  }
  return Object.fromEntries(result);
}

function appliedTo(target: object, patch: object | undefined): object {
  const result = applied(target, patch ?? {});
  return isMap(result) ? result : {};
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

describe('mergePatch()', () => {
  test('applied to what was before gives what is after', () => {
    fc.assert(
      fc.property(object, object, (before, after) => {
        expect(equal(applied(before, mergePatch(before, after) ?? {}), after)).toBe(true);
      }),
    );
  });

  test('a second patch has nothing to do', () => {
    fc.assert(
      fc.property(object, object, (before, after) => {
        expect(mergePatch(appliedTo(before, mergePatch(before, after)), after)).toBeUndefined();
      }),
    );
  });

  test('the same object needs no patch, whatever the order of its keys', () => {
    fc.assert(
      fc.property(object, (one) => {
        const reversed = Object.fromEntries(Object.entries(one).toReversed());
        expect(mergePatch(one, reversed)).toBeUndefined();
      }),
    );
  });

  test('removes with null and goes only where something differs', () => {
    expect(mergePatch({ a: { b: 1, c: 2 }, d: 3 }, { a: { b: 1 }, d: 3 })).toEqual({ a: { c: null } });
  });

  test('keys called __proto__ are keys like others [F71]', () => {
    const before: object = JSON.parse('{"data":{"a":"1"}}');
    const after: object = JSON.parse('{"data":{"a":"1","__proto__":"2"}}');
    expect(JSON.stringify(mergePatch(before, after))).toBe('{"data":{"__proto__":"2"}}');
    expect(JSON.stringify(mergePatch(after, before))).toBe('{"data":{"__proto__":null}}');
    expect(mergePatch(before, before)).toBeUndefined();
    expect(Object.hasOwn(Object.prototype, 'a')).toBe(false);
  });
});

describe('equal() [CORE-23]', () => {
  test.each([
    [{ a: null }, {}],
    [{ a: {} }, {}],
    [{ a: [] }, { a: undefined }],
    [{ a: { b: {} } }, { a: {} }],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
  ])('%j means the same as %j', (a, b) => {
    expect(equal(a, b)).toBe(true);
    expect(equal(b, a)).toBe(true);
  });

  test.each([
    [{ a: '' }, {}],
    [{ a: 0 }, {}],
    [{ a: false }, {}],
    [[{}], []],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: '1' }, { a: 1 }],
  ])('%j differs from %j', (a, b) => {
    expect(equal(a, b)).toBe(false);
    expect(equal(b, a)).toBe(false);
  });
});

describe('equalQuantity() [CORE-23]', () => {
  test.each([
    ['1000m', '1'],
    ['1', 1],
    ['1Gi', '1024Mi'],
    ['0.5', '500m'],
    ['1e3', '1k'],
    ['.5Gi', '512Mi'],
    ['1000000n', '1m'],
    ['+1', '1.0'],
    ['128974848', '123Mi'],
    ['-1500m', '-1.5'],
  ])('%s has the value of %s', (a, b) => {
    expect(equalQuantity(a, b)).toBe(true);
  });

  test.each([
    ['1G', '1Gi'],
    ['1', '1001m'],
    ['9007199254740993', '9007199254740992'],
    ['1', 'one'],
    ['', '0'],
    ['1e999999999', '1'],
    ['1constructor', '1'],
  ])('%s has another value than %s', (a, b) => {
    expect(equalQuantity(a, b)).toBe(false);
  });
});

describe('numbers that JavaScript cannot hold [CORE-23, F71]', () => {
  const value = (text: string): object => parseJson(`{"a":[${text}]}`) as object;

  test.each([
    ['9007199254740993', '9007199254740993'],
    ['-0', '0'],
    ['1.0', '1'],
    ['1e3', '1000'],
    ['9007199254740994', '9007199254740994.0'],
    ['1e400', '1e400'],
  ])('%s and %s are the same: nothing to patch', (a, b) => {
    expect(mergePatch(value(a), value(b))).toBeUndefined();
    expect(mergePatch(value(b), value(a))).toBeUndefined();
  });

  test.each([
    ['9007199254740993', '9007199254740992'],
    ['9223372036854775807', '9223372036854775806'],
    ['1.0', '"1.0"'],
    ['9007199254740993', '{"text":"9007199254740993"}'],
    ['-0', 'null'],
    ['1e400', '1e401'],
  ])('%s differs from %s, and the patch carries it as it was written', (before, after) => {
    expect(JSON.stringify(mergePatch(value(before), value(after)))).toBe(`{"a":[${after}]}`);
    expect(JSON.stringify(mergePatch(value(after), value(before)))).toBe(`{"a":[${before}]}`);
    const [from, to] = [`{"n":${before}}`, `{"n":${after}}`].map((text) => parseJson(text) as object);
    expect(JSON.stringify(mergePatch(from ?? {}, to ?? {}))).toBe(`{"n":${after}}`);
  });
});

test('a thousand levels are looked at once each, not once for every level above [F71]', () => {
  let looks = 0;
  const deep = (leaf: number): object => {
    let value: object = { leaf };
    for (let level = 0; level < 1_000; level++) {
      const inner = value;
      value = Object.defineProperty({}, 'a', { enumerable: true, get: () => (looks++, inner) });
    }
    return value;
  };
  expect(equal(deep(1), deep(1))).toBe(true);
  expect(mergePatch(deep(1), deep(2))).toBeDefined();
  expect(equal(deep(1), undefined)).toBe(false);
  expect(looks).toBeLessThan(20_000);
});
