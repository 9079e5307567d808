/**
 * The message codec for any message: against itself, against what a later version sends, against damage, and against protobufjs on the
 * official definition, which is downloaded once. Where it cannot be had, this last part is skipped and says why.
 */
import * as fc from 'fast-check';
import { parse, Root } from 'protobufjs';
import type { Type } from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { outcomeOf } from '../../test/support/outcome.ts';
import { readDefinition } from '../../scripts/lib/protocol-definition.ts';
import { Codec } from './protobuf.ts';
import type { FieldRow, MessageTables } from './tables.ts';
import { enums, messages } from './tfplugin6.ts';
import type { Messages } from './tfplugin6.ts';

type Name = keyof Messages;
type Plain = Record<string, unknown>;

const codec = new Codec<Messages>(messages, enums);
const names = Object.keys(messages) as Name[];

/** Any draft of a message; presence and absence of everything, also of empty sub-messages. */
function draftOf(name: string, tables = messages, depth = 0): fc.Arbitrary<Plain> {
  const rows = (tables[name] ?? []).filter((row) => depth < 4 || row.kind !== 'message');
  const record = fc.record(Object.fromEntries(rows.map((row) => [row.name, manyOf(row, tables, depth)])), {
    requiredKeys: [],
    noNullPrototype: true,
  });
  const oneofs = [...new Set(rows.flatMap(({ oneof }) => oneof ?? []))];
  return record.map((plain) => oneofs.reduce((left, oneof) => oneOnly(left, rows, oneof), plain));
}

function oneOnly(plain: Plain, rows: readonly FieldRow[], oneof: string): Plain {
  const members = rows.filter((row) => row.oneof === oneof && plain[row.name] !== undefined).map((row) => row.name);
  return Object.fromEntries(Object.entries(plain).filter(([name]) => !members.slice(1).includes(name)));
}

function manyOf(row: FieldRow, tables: MessageTables, depth: number): fc.Arbitrary<unknown> {
  const one = oneOf(row, tables, depth);
  // protobufjs cannot have this one key.
  const key = fc.string({ maxLength: 5 }).filter((text) => text !== '__proto__');
  if (row.shape === 'map') return fc.dictionary(key, one, { maxKeys: 3, noNullPrototype: true });
  return row.shape === 'repeated' ? fc.array(one, { maxLength: 3 }) : one;
}

function oneOf(row: FieldRow, tables: MessageTables, depth: number): fc.Arbitrary<unknown> {
  const kinds: Readonly<Record<FieldRow['kind'], () => fc.Arbitrary<unknown>>> = {
    string: () => fc.string({ unit: 'grapheme' }),
    bytes: () => fc.uint8Array({ maxLength: 300 }),
    bool: () => fc.boolean(),
    int32: () => fc.integer(),
    uint32: () => fc.nat(0xffffffff),
    // Beyond the safe ones protobufjs rounds; protobuf.test.ts has those.
    int64: () => fc.oneof(fc.maxSafeInteger(), fc.maxSafeInteger().map(BigInt)),
    enum: () => fc.constantFrom(...Object.keys(enums[row.of ?? ''] ?? {})),
    message: () => draftOf(row.of ?? '', tables, depth + 1),
  };
  return kinds[row.kind]();
}

/** What a decoder makes of a draft: defaults filled in, numbers that are safe as numbers. */
function filled(name: string, draft: Plain): Plain {
  const rows = messages[name] ?? [];
  return Object.fromEntries(rows.flatMap((row) => filledField(row, draft[row.name]).map((value) => [row.name, value])));
}

function filledField(row: FieldRow, value: unknown): readonly unknown[] {
  if (row.shape === 'repeated') return [((value ?? []) as readonly unknown[]).map((each) => filledOne(row, each))];
  if (row.shape === 'map') {
    return [Object.fromEntries(Object.entries(value ?? {}).map(([key, each]) => [key, filledOne(row, each)]))];
  }
  if (value !== undefined) return [filledOne(row, value)];
  return row.shape === 'presence' || row.kind === 'message' ? [] : [initials[row.kind](row)];
}

const initials: Readonly<Record<Exclude<FieldRow['kind'], 'message'>, (row: FieldRow) => unknown>> = {
  string: () => '',
  bytes: () => new Uint8Array(0),
  bool: () => false,
  int32: () => 0,
  uint32: () => 0,
  int64: () => 0,
  enum: (row) => Object.entries(enums[row.of ?? ''] ?? {}).find(([, number]) => number === 0)?.[0],
};

function filledOne(row: FieldRow, value: unknown): unknown {
  if (row.kind === 'message') return filled(row.of ?? '', value as Plain);
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value);
  return value instanceof Uint8Array ? Uint8Array.from(value) : value;
}

/** Views of Node's buffers compare as what they hold. */
function copied(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(copied);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copied(each)]));
}

describe('round trips', () => {
  test.each(names)('%s comes back as it was sent', (name) => {
    fc.assert(
      fc.property(draftOf(name), (draft) => {
        expect(copied(codec.decode(name, codec.encode(name, draft)))).toEqual(filled(name, draft));
      }),
      { numRuns: 30 },
    );
  });
});

/** Fields that no message has today, one of each kind. */
const strangers: readonly FieldRow[] = [
  { number: 1000, name: 'laterText', kind: 'string' },
  { number: 1001, name: 'laterNumber', kind: 'int64', shape: 'presence' },
  { number: 1002, name: 'laterNumbers', kind: 'int32', shape: 'repeated' },
  { number: 1003, name: 'laterFlag', kind: 'bool' },
  { number: 1004, name: 'laterMap', kind: 'bytes', shape: 'map' },
  { number: 1005, name: 'laterMessages', kind: 'message', of: 'AttributePath', shape: 'repeated' },
];
const laterMessages: MessageTables = Object.fromEntries(
  Object.entries(messages).map(([name, rows]) => [name, [...rows, ...strangers]]),
);

describe('a later version of the protocol', () => {
  const later = new Codec<Messages>(laterMessages, enums);

  test.each(names)('%s is read as if what is new in it, at any depth, were not there', (name) => {
    fc.assert(
      fc.property(draftOf(name, laterMessages), (draft) => {
        expect(copied(codec.decode(name, later.encode(name, draft)))).toEqual(filled(name, draft));
      }),
      { numRuns: 20 },
    );
  });
});

describe('damage', () => {
  /** What is put over a message, also the lengths of 4 GiB and of 2^64 bytes. */
  const patch = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 3 }),
    fc
      .constantFrom([0xff, 0xff, 0xff, 0xff, 0x0f], [...Array<number>(9).fill(0xff), 0x01])
      .map((bytes) => Uint8Array.from(bytes)),
  );
  const damages = fc.array(fc.record({ at: fc.nat(), patch, cut: fc.nat(3) }), { minLength: 1, maxLength: 3 });

  function damaged(whole: Uint8Array, wounds: readonly { at: number; patch: Uint8Array; cut: number }[]): Uint8Array {
    let bytes = [...whole];
    for (const wound of wounds) bytes = bytes.toSpliced(wound.at % (bytes.length + 1), wound.cut, ...wound.patch);
    return Uint8Array.from(bytes);
  }

  test.each(names)('%s with bytes changed, added and lost is a message or a DecodeError, nothing else', (name) => {
    fc.assert(
      fc.property(draftOf(name), damages, (draft, wounds) => {
        const bytes = damaged(codec.encode(name, draft), wounds);
        expect(outcomeOf(() => codec.decode(name, bytes))).toMatch(/^(read$|DecodeError: )/);
      }),
      { numRuns: 50 },
    );
  });
});

describe('int64', () => {
  test('is what 64 bits say, for every number that they hold', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (version) => {
        fc.pre(version !== 0n);
        const bytes = Uint8Array.from([0x08, ...varintOf(BigInt.asUintN(64, version))]);
        expect(copied(codec.encode('Schema', { version }))).toEqual(bytes);
        const read = codec.decode('Schema', bytes).version;
        expect(BigInt(read)).toBe(version);
        expect(typeof read).toBe(Number.isSafeInteger(Number(version)) ? 'number' : 'bigint');
      }),
    );
  });
});

function varintOf(value: bigint): readonly number[] {
  return value < 0x80n ? [Number(value)] : [Number(value & 0x7fn) | 0x80, ...varintOf(value >> 7n)];
}

const official = await officialTypes();

describe.skipIf(official.missing !== undefined)(`against the official definition${official.missing ?? ''}`, () => {
  test('the tables have every message of the definition, and no other but those of health checks', () => {
    const ours = names.filter((name) => !name.startsWith('HealthCheck'));
    expect([...official.types.keys()].toSorted()).toEqual(ours.toSorted());
  });

  test.each([...official.types])('%s has the fields of the definition', (name, { fieldsArray }) => {
    const theirs = fieldsArray.map((field) => ({
      number: field.id,
      name: field.name.slice(0, 1).toLowerCase() + field.name.slice(1),
      kind: field.resolvedType === null ? field.type : 'fieldsArray' in field.resolvedType ? 'message' : 'enum',
      many: field.map ? 'map' : field.repeated ? 'repeated' : 'one',
    }));
    const ours = (messages[name] ?? []).map(({ number, name: called, kind, shape }) => ({
      number,
      name: called,
      kind,
      many: shape === 'map' || shape === 'repeated' ? shape : 'one',
    }));
    expect(ours).toEqual(theirs);
  });

  test.each([...official.types.keys()] as Name[])(
    '%s: what we write, protobufjs reads, and the other way round',
    (name) => {
      const type = official.types.get(name) as Type;
      fc.assert(
        fc.property(draftOf(name), (draft) => {
          const ours = codec.encode(name, draft);
          const theirs = type.encode(type.decode(ours)).finish();
          expect(copied(codec.decode(name, theirs))).toEqual(filled(name, draft));
        }),
        { numRuns: 30 },
      );
    },
  );
});

/** protobufjs' types by our names, or why there are none. */
async function officialTypes(): Promise<{ readonly types: ReadonlyMap<string, Type>; readonly missing?: string }> {
  let sources;
  try {
    sources = await readDefinition();
  } catch (error) {
    return { types: new Map(), missing: ` (skipped: ${(error as Error).message})` };
  }
  const root = new Root();
  for (const { text } of sources) parse(text, root);
  parse(
    'syntax = "proto3"; package google.protobuf; message Empty {} message Timestamp { int64 seconds = 1; int32 nanos = 2; }',
    root,
  );
  root.resolveAll();
  const types = new Map<string, Type>();
  collect(root.nestedArray as unknown as readonly Plain[], '', types);
  return { types };
}

/** A message without fields that only surrounds others is never sent. */
function collect(found: readonly Plain[], prefix: string, types: Map<string, Type>): void {
  for (const each of found) {
    const part = String(each['name']);
    const isMessage = 'fieldsArray' in each;
    const type = each as unknown as Type;
    const name = isMessage ? prefix + (part === 'Function' && prefix === '' ? 'FunctionSchema' : part) : prefix;
    const inner = (each['nestedArray'] ?? []) as readonly Plain[];
    if (isMessage && (type.fieldsArray.length > 0 || inner.length === 0)) types.set(name, type);
    collect(inner, name, types);
  }
}
