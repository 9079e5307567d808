/** The message codec by hand-made bytes: what a well-behaved peer never sends, and what proto3 leaves to the reader. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outcomeOf } from '../../test/support/outcome.ts';
import { Codec } from './protobuf.ts';
import type { MessageTables } from './tables.ts';
import { enums, messages } from './tfplugin6.ts';
import type { Messages } from './tfplugin6.ts';

type Name = keyof Messages;

const codec = new Codec<Messages>(messages, enums);
const names = Object.keys(messages) as Name[];
const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

describe('what a later version may send', () => {
  test('unknown fields of every wire type are skipped, groups in groups too', () => {
    const unknown = [
      [0x78, 0xff, 0xff, 0x03],
      [0x79, 1, 2, 3, 4, 5, 6, 7, 8],
      [0x7a, 2, 9, 9],
      [0x7b, 0x08, 1, 0x13, 0x7a, 0, 0x14, 0x7c],
      [0x7d, 1, 2, 3, 4],
      [0xf8, 0xff, 0xff, 0xff, 0x0f, 1],
    ];
    const known = [...codec.encode('FunctionError', { text: 'why', functionArgument: 2 })];
    fc.assert(
      fc.property(fc.shuffledSubarray(unknown), (some) => {
        const mixed = bytes(...some.flat(), ...known, ...some.flat());
        expect(codec.decode('FunctionError', mixed)).toEqual({ text: 'why', functionArgument: 2 });
      }),
    );
  });

  test('a known field with another wire type is skipped', () => {
    expect(codec.decode('FunctionError', bytes(0x08, 5, 0x12, 1, 65))).toEqual({ text: '' });
    expect(codec.decode('RawState', bytes(0x10, 1))).toEqual({ json: bytes(), flatmap: {} });
  });

  test('an enum value without a name stays its number, and can be sent', () => {
    const sent = codec.encode('Diagnostic', { severity: 7 });
    expect(codec.decode('Diagnostic', sent).severity).toBe(7);
  });
});

describe('what proto3 says', () => {
  test('a message that comes twice is merged, of a scalar the last one counts', () => {
    const one = codec.encode('UpgradeResourceStateRequest', { typeName: 'a', rawState: { flatmap: { x: '1' } } });
    const two = codec.encode('UpgradeResourceStateRequest', { typeName: 'b', rawState: { flatmap: { y: '2' } } });
    const both = codec.decode('UpgradeResourceStateRequest', bytes(...one, ...two));
    expect(both.typeName).toBe('b');
    expect(both.rawState?.flatmap).toEqual({ x: '1', y: '2' });
  });

  test('of a oneof the last one counts', () => {
    const one = codec.encode('AttributePathStep', { attributeName: 'a' });
    const two = codec.encode('AttributePathStep', { elementKeyInt: 0 });
    expect(codec.decode('AttributePathStep', bytes(...one, ...two))).toEqual({ elementKeyInt: 0 });
    expect(codec.decode('AttributePathStep', bytes(...two, ...one))).toEqual({ attributeName: 'a' });
  });

  test('presence: an optional field that is empty is sent, a plain one is not', () => {
    expect(codec.encode('CloseEphemeralResourceRequest', { typeName: '', private: bytes() })).toEqual(bytes(0x12, 0));
    expect(codec.decode('CloseEphemeralResourceRequest', bytes(0x12, 0)).private).toEqual(bytes());
    expect(codec.decode('CloseEphemeralResourceRequest', bytes()).private).toBeUndefined();
  });

  test('a map entry without key or value has their defaults, and __proto__ is a key like any other', () => {
    expect(codec.decode('RawState', bytes(0x12, 0)).flatmap).toEqual({ '': '' });
    const flatmap = JSON.parse('{"__proto__":"x","b":"y"}') as Record<string, string>;
    const back = codec.decode('RawState', codec.encode('RawState', { flatmap })).flatmap;
    expect(JSON.stringify(back)).toBe(JSON.stringify(flatmap));
  });

  test('lists of numbers are read packed and not packed', () => {
    const tables: MessageTables = { L: [{ number: 1, name: 'all', kind: 'int32', shape: 'repeated' }] };
    const lists = new Codec<{ L: { readonly all: readonly number[] } }>(tables, {});
    const negative = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    expect(lists.decode('L', bytes(0x08, 1, 0x0a, 2, 2, 3, 0x08, 4)).all).toEqual([1, 2, 3, 4]);
    expect(lists.encode('L', { all: [1, -1] })).toEqual(bytes(0x0a, 11, 1, ...negative));
    expect(lists.decode('L', lists.encode('L', { all: [1, -1, 300] })).all).toEqual([1, -1, 300]);
    expect(lists.encode('L', { all: [] })).toEqual(bytes());
  });

  test('an int64 is a number when it is safe, else a bigint', () => {
    for (const version of [
      0,
      -1,
      Number.MAX_SAFE_INTEGER,
      Number.MIN_SAFE_INTEGER,
      2n ** 53n,
      -(2n ** 63n),
      2n ** 63n - 1n,
    ]) {
      expect(codec.decode('Schema', codec.encode('Schema', { version })).version).toBe(version);
    }
  });

  test('a text that was cut within a character is sent, and is text', () => {
    const sent = codec.encode('Diagnostic', { summary: '\u{1f600}'.slice(0, 1) });
    expect(codec.decode('Diagnostic', sent).summary).toBe('\ufffd');
  });

  test('bytes are views on the given memory, not copies', () => {
    const sent = codec.encode('DynamicValue', { msgpack: bytes(1, 2, 3) });
    expect(codec.decode('DynamicValue', sent).msgpack.buffer).toBe(sent.buffer);
  });
});

describe('limits', () => {
  const nested = { block: { blockTypes: [{ typeName: 'x', block: { description: 'deep' } }] } };

  test('every cut of a valid message is read as far as it goes or refused by name', () => {
    const whole = codec.encode('Schema', nested);
    const outcomes = Array.from(whole, (_, length) =>
      outcomeOf(() => codec.decode('Schema', whole.subarray(0, length))),
    );
    expect(outcomes.filter((outcome) => outcome !== 'read')).not.toHaveLength(0);
    for (const outcome of outcomes) expect(outcome).toMatch(/^(read$|DecodeError: Schema)/);
  });

  test('random bytes are a message or a DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(...names), (random, name) => {
        expect(outcomeOf(() => codec.decode(name, random))).toMatch(/^(read$|DecodeError: )/);
      }),
      { numRuns: 1000 },
    );
  });

  test.each<[string, number[], RegExp]>([
    ['a length beyond the end', [0x0a, 5, 1], /5 bytes are announced, but only 1 are there/],
    ['a length beyond the surrounding message', [0x22, 2, 0x0a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0], /announced/],
    ['a length of 33 bits', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x1f], /32 bits/],
    ['a number of eleven bytes', [0x08, ...Array<number>(10).fill(0x80), 1], /ten bytes|64 bits/],
    ['a number of 65 bits', [0x08, ...Array<number>(9).fill(0xff), 0x02], /64 bits/],
    ['a number that ends early', [0x08, 0x80], /announced/],
    ['field 0', [0x02, 0], /no field 0/],
    ['wire type 6', [0x0e], /wire type 6/],
    ['the end of a group that did not begin', [0x0c], /wire type 4/],
    ['a group that does not end', [0x7b, 0x08, 1], /announced/],
    ['groups without end', Array<number>(200).fill(0x7b), /too deep/],
    ['text that is not UTF-8', [0x12, 1, 0xff], /UTF-8/],
  ])('%s is refused', (_, values, message) => {
    expect(() => codec.decode('Diagnostic', bytes(...values))).toThrow(message);
  });

  test('messages in messages without end are refused in both directions', () => {
    let inner = bytes();
    for (let depth = 0; depth < 120; depth += 1) inner = bytes(0x12, ...lengthOf(inner), ...inner);
    const tables: MessageTables = { M: [{ number: 2, name: 'of', kind: 'message', of: 'M' }] };
    interface M {
      readonly of?: M;
    }
    const recursive = new Codec<{ M: M }>(tables, {});
    expect(() => recursive.decode('M', inner)).toThrow(/deeper than 100/);
    const loop: { of?: M } = {};
    loop.of = loop;
    expect(() => recursive.encode('M', loop)).toThrow(/deeper than 100/);
  });
});

function lengthOf(inner: Uint8Array): readonly number[] {
  return inner.length < 0x80 ? [inner.length] : [(inner.length & 0x7f) | 0x80, inner.length >> 7];
}

describe('drafts that are wrong', () => {
  test.each<[string, Name, unknown, string]>([
    ['a field that does not exist', 'StopProviderResponse', { Error: 'x' }, 'StopProviderResponse has no field Error'],
    ['text for a number', 'Schema', { version: '1' }, 'Schema.version: must be a safe integer'],
    ['an unsafe number', 'Schema', { version: 2 ** 53 }, 'Schema.version: must be a safe integer'],
    ['a bigint of 65 bits', 'Schema', { version: 2n ** 64n }, 'Schema.version: must be'],
    ['a number for text', 'Diagnostic', { summary: 1 }, 'Diagnostic.summary: must be a string, got: number'],
    ['text for bytes', 'DynamicValue', { msgpack: 's3cret' }, 'DynamicValue.msgpack: must be bytes, got: string'],
    ['null', 'Diagnostic', { summary: null }, 'got: null'],
    [
      'a name that the enum does not have',
      'Diagnostic',
      { severity: 'FATAL' },
      'must be one of INVALID, ERROR, WARNING',
    ],
    ['no list', 'AttributePath', { steps: {} }, 'AttributePath.steps: must be an array'],
    ['no message', 'Schema', { block: [] }, 'SchemaBlock: must be an object'],
    ['two of a oneof', 'AttributePathStep', { attributeName: 'a', elementKeyString: 'b' }, 'only one of'],
    ['beyond 32 bits', 'Timestamp', { nanos: 2 ** 31 }, 'Timestamp.nanos: must be an integer from'],
  ])('%s: refused by name, without the value', (_, name, draft, message) => {
    expect(() => codec.encode(name, draft as never)).toThrow(message);
    expect(() => codec.encode(name, draft as never)).toThrow(/^(?!.*s3cret)/s);
  });
});
