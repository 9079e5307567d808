/**
 * The message codec against itself, and against protobufjs on the official definition, which is downloaded once. Where it cannot be
 * had, the second half is skipped and says why.
 */
import * as fc from 'fast-check';
import { parse, Root } from 'protobufjs';
import type { Type } from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { readDefinition } from '../../scripts/lib/protocol-definition.ts';
import { Codec } from './protobuf.ts';
import type { FieldRow } from './tables.ts';
import { enums, messages } from './tfplugin6.ts';
import type { Messages } from './tfplugin6.ts';

type Name = keyof Messages;
type Plain = Record<string, unknown>;

const codec = new Codec<Messages>(messages, enums);
const names = Object.keys(messages) as Name[];

/** Any draft of a message; presence and absence of everything, also of empty sub-messages. */
function draftOf(name: string, depth = 0): fc.Arbitrary<Plain> {
  const rows = (messages[name] ?? []).filter((row) => depth < 4 || row.kind !== 'message');
  const record = fc.record(Object.fromEntries(rows.map((row) => [row.name, manyOf(row, depth)])), {
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

function manyOf(row: FieldRow, depth: number): fc.Arbitrary<unknown> {
  const one = oneOf(row, depth);
  // protobufjs cannot have this one key.
  const key = fc.string({ maxLength: 5 }).filter((text) => text !== '__proto__');
  if (row.shape === 'map') return fc.dictionary(key, one, { maxKeys: 3, noNullPrototype: true });
  return row.shape === 'repeated' ? fc.array(one, { maxLength: 3 }) : one;
}

function oneOf(row: FieldRow, depth: number): fc.Arbitrary<unknown> {
  const kinds: Readonly<Record<FieldRow['kind'], () => fc.Arbitrary<unknown>>> = {
    string: () => fc.string({ unit: 'grapheme' }),
    bytes: () => fc.uint8Array({ maxLength: 300 }),
    bool: () => fc.boolean(),
    int32: () => fc.integer(),
    uint32: () => fc.nat(0xffffffff),
    // Beyond the safe ones protobufjs rounds; protobuf.test.ts has those.
    int64: () => fc.oneof(fc.maxSafeInteger(), fc.maxSafeInteger().map(BigInt)),
    enum: () => fc.constantFrom(...Object.keys(enums[row.of ?? ''] ?? {})),
    message: () => draftOf(row.of ?? '', depth + 1),
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

const official = await officialTypes();

describe.skipIf(official.missing !== undefined)(`against the official definition${official.missing ?? ''}`, () => {
  test('every message of the definition is in the tables', () => {
    expect([...official.types.keys()].toSorted()).toEqual(
      expect.arrayContaining(['GetProviderSchemaResponse', 'Schema']),
    );
    for (const [name, type] of official.types) {
      expect(
        messages[name]?.map(({ number }) => number),
        name,
      ).toEqual(type.fieldsArray.map(({ id }) => id));
    }
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

function collect(found: readonly Plain[], prefix: string, types: Map<string, Type>): void {
  for (const each of found) {
    const part = String(each['name']);
    const name = /^[A-Z]/.test(part)
      ? prefix + (part === 'Function' && prefix === '' ? 'FunctionSchema' : part)
      : prefix;
    if (messages[name] !== undefined && 'fieldsArray' in each) types.set(name, each as unknown as Type);
    if (Array.isArray(each['nestedArray'])) collect(each['nestedArray'], name, types);
  }
}
