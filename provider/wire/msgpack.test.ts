/** The value codec against an independent msgpack, and by the rules of Terraform's numbers, unknowns and dynamic types. */
import { encode as otherEncode, decode as otherDecode, ExtData } from '@msgpack/msgpack';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Dynamic, UNKNOWN } from '../framework/values.ts';
import type { Value } from '../framework/values.ts';
import type { CtyType } from './cty.ts';
import { typeFromJson } from './cty.ts';
import { decodeValue, encodeValue } from './msgpack.ts';

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom('', '__proto__', 'é', '\u{1f600}'),
);
const numbers = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0.1, -2.5, 1e300, 5e-324, 2 ** 60, 0xffffffff, 127, 128, -32, -33, -129, -32_769, -2_147_483_649),
  fc.double({ noDefaultInfinity: true, noNaN: true }).map((number) => (number === 0 ? 0 : number)),
);

interface Typed {
  readonly type: CtyType;
  readonly values: fc.Arbitrary<Value>;
}

/** A type together with how its values are made. */
const typed: fc.Arbitrary<Typed> = fc.letrec<{ any: Typed }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Typed>(
      { type: 'string', values: texts },
      { type: 'number', values: numbers },
      { type: 'bool', values: fc.boolean() },
    ),
    fc.tuple(tie('any'), fc.constantFrom('list', 'set')).map(([of, kind]): Typed => listOf(of, kind)),
    tie('any').map((of): Typed => ({
      type: ['map', of.type],
      values: fc.dictionary(texts, maybe(of), { maxKeys: 20 }),
    })),
    fc.array(tie('any'), { maxLength: 4 }).map(tupleOf),
    fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), tie('any'), { maxKeys: 18, noNullPrototype: true }).map(objectOf),
    tie('any').map((of): Typed => ({ type: 'dynamic', values: maybe(of).map((value) => new Dynamic(of.type, value)) })),
  ),
})).any;

function maybe({ values }: Typed): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 6, arbitrary: values }, { weight: 1, arbitrary: fc.constantFrom<Value>(null, UNKNOWN) });
}

function listOf(of: Typed, kind: 'list' | 'set'): Typed {
  return { type: [kind, of.type], values: fc.array(maybe(of), { maxLength: 20 }) };
}

function tupleOf(of: readonly Typed[]): Typed {
  return { type: ['tuple', of.map(({ type }) => type)], values: fc.tuple(...of.map(maybe)) };
}

function objectOf(of: Readonly<Record<string, Typed>>): Typed {
  const members = Object.entries(of);
  return {
    type: ['object', Object.fromEntries(members.map(([name, { type }]) => [name, type]))],
    values: fc.record(Object.fromEntries(members.map(([name, each]) => [name, maybe(each)])), {
      noNullPrototype: true,
    }),
  };
}

const cases = typed.chain((each) => fc.record({ type: fc.constant(each.type), value: maybe(each) }));

describe('round trips', () => {
  test('decodeValue() gives back what encodeValue() was given, for every type', () => {
    fc.assert(
      fc.property(cases, ({ type, value }) => {
        expect(decodeValue(encodeValue(value, type), type)).toEqual(value);
      }),
    );
  });

  test('encodeValue() writes msgpack that another implementation reads', () => {
    const plain = fc.oneof(texts, fc.boolean(), fc.constant(null), fc.maxSafeInteger());
    const strings: CtyType = ['list', ['map', 'string']];
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string({ maxLength: 300 }), fc.string())), (value) => {
        // That implementation refuses this one key.
        fc.pre(!value.some((record) => Object.hasOwn(record, '__proto__')));
        expect(otherDecode(encodeValue(value, strings))).toEqual(value.map((record) => ({ ...record })));
      }),
    );
    fc.assert(
      fc.property(plain, (value) => {
        const type = typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'bool' : 'string';
        expect(otherDecode(encodeValue(value, type), { useBigInt64: false })).toEqual(value);
      }),
    );
  });

  test('decodeValue() reads what another implementation writes', () => {
    const strings: CtyType = ['map', ['list', 'number']];
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.array(fc.oneof(fc.integer(), fc.maxSafeInteger()))), (value) => {
        expect(decodeValue(otherEncode(value), strings)).toEqual({ ...value });
      }),
    );
  });

  test.each([31, 32, 255, 256, 65_535, 65_536])('a text, list and map of %d have the length that fits', (length) => {
    const text = 'x'.repeat(length);
    expect(decodeValue(encodeValue(text, 'string'), 'string')).toBe(text);
    const list = Array.from({ length }, () => true);
    expect(otherDecode(encodeValue(list, ['list', 'bool']))).toHaveLength(length);
    const map = Object.fromEntries(list.map((_, index) => [`k${index}`, true]));
    const back = decodeValue(encodeValue(map, ['map', 'bool']), ['map', 'bool']);
    expect(Object.keys(back ?? {})).toHaveLength(length);
  });
});

describe('unknown values', () => {
  test('are the extension that Terraform writes', () => {
    expect([...encodeValue(UNKNOWN, 'string')]).toEqual([0xd4, 0, 0]);
    expect(decodeValue(otherEncode(new ExtData(0, new Uint8Array([0]))), ['list', 'string'])).toBe(UNKNOWN);
  });

  test('refined ones are unknown, and what follows them is read', () => {
    const refinement = new ExtData(12, otherEncode(new Map([[1, false]])));
    const value = otherEncode({ a: refinement, b: 'after' });
    expect(decodeValue(value, ['object', { a: 'string', b: 'string' }])).toEqual({ a: UNKNOWN, b: 'after' });
  });

  test('other extensions are refused', () => {
    expect(() => decodeValue(otherEncode(new ExtData(5, new Uint8Array(3))), 'string')).toThrow(/extension 5/);
  });
});

describe('numbers', () => {
  test('a fraction is written as its decimal text: a binary 0.1 is another number to Terraform', () => {
    expect(otherDecode(encodeValue(0.1, 'number'))).toBe('0.1');
    expect(otherDecode(encodeValue(3, 'number'))).toBe(3);
  });

  test.each(['0.1', '-12.50', '1e30', '1000000000000000000000000000000', '0', '-0.0', '9007199254740991', '.5', '5.'])(
    'the text %s is a number that keeps its digits',
    (text) => {
      const number = decodeValue(otherEncode(text), 'number');
      expect(number).toBe(Number(text) || 0);
      expect(decodeValue(encodeValue(number, 'number'), 'number')).toBe(number);
    },
  );

  test.each<[string | bigint, string]>([
    ['9007199254740993', 'text beyond 2^53'],
    ['0.12345678901234567890123', 'many digits'],
    [9_007_199_254_740_993n, 'an integer beyond 2^53'],
    [-9_223_372_036_854_775_807n, 'the least integers'],
    ['1e400', 'more than a double can be'],
  ])('%s is refused and not rounded (%s)', (value) => {
    const bytes = otherEncode({ limits: [value] }, { useBigInt64: true });
    expect(() => decodeValue(bytes, ['map', ['list', 'number']], 'config')).toThrow(/^config\.limits\[0\]: .*number/);
  });

  test.each(['', ' 1', '0x10', 'Infinity', 'NaN', '1e', '--1', '1_0'])('%j is no number', (text) => {
    expect(() => decodeValue(otherEncode(text), 'number')).toThrow(/not a number/);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('%d is neither written nor read', (value) => {
    expect(() => encodeValue(value, 'number')).toThrow(/finite/);
    expect(() => decodeValue(otherEncode(value), 'number')).toThrow(/finite/);
  });
});

describe('dynamic', () => {
  test('carries its type, also for null, unknown and another dynamic', () => {
    const type: CtyType = ['object', { a: ['tuple', ['string', 'number']] }];
    for (const value of [{ a: ['x', 1] }, null, UNKNOWN] satisfies Value[]) {
      const dynamic = new Dynamic(['object', { a: ['tuple', ['string', 'number']] }], value);
      expect(decodeValue(encodeValue(dynamic, 'dynamic'), 'dynamic')).toEqual(dynamic);
      expect(otherDecode(encodeValue(dynamic, 'dynamic'))).toHaveLength(2);
    }
    const json = new TextEncoder().encode(JSON.stringify(type));
    expect(decodeValue(otherEncode([json, { a: ['x', 1] }]), 'dynamic')).toEqual(
      new Dynamic(['object', { a: ['tuple', ['string', 'number']] }], { a: ['x', 1] }),
    );
  });

  test.each([['[]'], ['"text"'], ['["list"]'], ['["object",[]]'], ['{}'], ['["constructor","string"]'], ['not json']])(
    'the type %s is refused',
    (type) => {
      expect(() => decodeValue(otherEncode([new TextEncoder().encode(type), 1]), 'dynamic')).toThrow(/type/);
    },
  );

  test('a type without end is refused', () => {
    const deep = JSON.parse(`${'["list",'.repeat(300)}"string"${']'.repeat(300)}`);
    expect(() => typeFromJson(deep, 'type')).toThrow(/deeper than/);
  });
});

/** The class of the error that a call throws; a call that throws none passes for the class in question. */
function failureOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).name;
  }
  return 'DecodeError';
}

describe('errors', () => {
  test('every cut of a valid value is an error that says where', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ type, value }, cut) => {
        const bytes = encodeValue(value, type, 'plan');
        const short = bytes.subarray(0, cut % bytes.length);
        expect(() => decodeValue(short, type, 'plan')).toThrow(/^plan/);
      }),
    );
  });

  test('random bytes are a value or a DecodeError, nothing else', () => {
    const anyType = typed.map(({ type }) => type);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), anyType, (bytes, type) => {
        expect(failureOf(() => decodeValue(bytes, type))).toBe('DecodeError');
      }),
      { numRuns: 500 },
    );
  });

  test('a valid value with bytes changed, added and lost is a value or a DecodeError, nothing else', () => {
    const wounds = fc.array(fc.record({ at: fc.nat(), cut: fc.nat(2), patch: fc.uint8Array({ maxLength: 5 }) }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(cases, wounds, ({ type, value }, all) => {
        let bytes = [...encodeValue(value, type)];
        for (const { at, cut, patch } of all) bytes = bytes.toSpliced(at % (bytes.length + 1), cut, ...patch);
        expect(failureOf(() => decodeValue(Uint8Array.from(bytes), type))).toBe('DecodeError');
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, number, CtyType]>([
    ['text', 0xdb, 'string'],
    ['list', 0xdd, ['list', 'bool']],
    ['map', 0xdf, ['map', 'bool']],
    ['object', 0xdf, ['object', {}]],
    ['unknown value', 0xc9, 'string'],
  ])('a %s that says it is four thousand million long is refused without memory for it', (_, first, type) => {
    expect(() => decodeValue(Uint8Array.from([first, 0xff, 0xff, 0xff, 0xff, 0]), type, 'config')).toThrow(
      /^config.*(announced|found)/,
    );
  });

  test.each<[string, unknown, CtyType, RegExp]>([
    ['a missing attribute', { a: 1 }, ['object', { a: 'number', b: 'string' }], /config\.b: the attribute is missing/],
    ['an attribute too many', { a: 1, c: 1 }, ['object', { a: 'number' }], /config\.c: there is no such attribute/],
    ['another type', { a: [1, 'x'] }, ['object', { a: ['list', 'number'] }], /config\.a\[1\]/],
    ['a tuple too short', [1], ['tuple', ['number', 'number']], /config: /],
  ])('%s names its path, in both directions', (_, value, type, message) => {
    expect(() => encodeValue(value as Value, type, 'config')).toThrow(message);
    expect(() => decodeValue(otherEncode(value), type, 'config')).toThrow(message);
  });

  test('a text that was cut within a character is written, and is text', () => {
    expect(decodeValue(encodeValue('\u{1f600}'.slice(0, 1), 'string'), 'string')).toBe('\ufffd');
  });

  test('text that is not UTF-8 is refused', () => {
    expect(() => decodeValue(Uint8Array.from([0xa1, 0xff]), 'string')).toThrow(/UTF-8/);
  });

  test('no error quotes the value, which may be a secret', () => {
    for (const type of ['number', 'bool', 'dynamic', ['map', 'string'], ['object', {}]] as const) {
      const failures = [() => encodeValue('s3cret', type), () => decodeValue(otherEncode('s3cret'), type)];
      for (const fail of failures) expect(fail).toThrow(/^(?!.*s3cret)/s);
    }
  });
});
