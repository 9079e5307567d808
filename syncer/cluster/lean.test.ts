import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLean } from './lean.ts';

interface Thing {
  readonly metadata?: { managedFields?: unknown };
}

const one = (parsed: Thing): readonly Thing[] => [parsed];
const many = ({ items }: { readonly items: readonly Thing[] }): readonly Thing[] => items;

const fields = [
  {
    manager: 'kubelet',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:status': { '.': {}, 'k:{"type":"Ready"}': { 'f:status': {} } } },
    subresource: 'status',
  },
];

/** What a tenant could write where names are free, to make a cut end in the wrong place. */
const hostile = fc.oneof(
  fc.string(),
  fc
    .array(fc.constantFrom(']', '[', '}', '{', '"', '\\', ',', ':', '0', ',"managedFields":[{"', '},', 'a'), {
      size: 'small',
    })
    .map((parts) => parts.join('')),
);
const { value: anything } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    hostile,
    fc.integer(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(hostile, tie('value'), { maxKeys: 3 }),
  ),
}));
const managed = fc.oneof(
  fc.constant(fields),
  fc.array(fc.record({ manager: hostile, fieldsV1: anything }), { minLength: 1, maxLength: 3 }),
  fc.array(anything, { maxLength: 3 }),
  anything,
);
const things = fc.record(
  {
    kind: hostile,
    data: fc.oneof(anything, fc.record({ x: anything, managedFields: managed })),
    metadata: fc.record({ name: hostile, labels: anything, managedFields: managed }, { requiredKeys: ['name'] }),
    spec: fc.oneof(anything, fc.record({ x: anything, managedFields: managed })),
  },
  { requiredKeys: ['metadata'] },
);

function without(thing: Thing): Thing {
  const copy = structuredClone(thing);
  delete copy.metadata?.managedFields;
  return copy;
}

describe('parseLean()', () => {
  test('managedFields are gone, the rest is there', () => {
    const pod = { kind: 'Pod', metadata: { name: 'a', labels: { a: 'b' }, managedFields: fields }, spec: { x: [1] } };
    expect(parseLean(JSON.stringify(pod), one)).toEqual(without(pod));
    expect(parseLean(JSON.stringify({ items: [pod, pod] }), many)).toEqual({ items: [without(pod), without(pod)] });
  });

  test('those of an object inside of the object are its own', () => {
    const inner = { x: 1, managedFields: fields };
    const snapshot = {
      kind: 'Snapshot',
      data: { object: { metadata: inner } },
      metadata: { name: 'a', managedFields: fields },
    };
    expect(parseLean(JSON.stringify(snapshot), one)).toEqual(without(snapshot));
    expect(parseLean(JSON.stringify({ ...snapshot, metadata: { name: 'a' } }), one)).toMatchObject({
      data: { object: { metadata: inner } },
    });
  });

  test('no text of a tenant makes it read anything else than the whole text says [F71]', () => {
    const same = (thing: Thing): void => {
      const expected = without(JSON.parse(JSON.stringify(thing)));
      expect(parseLean(JSON.stringify(thing), one)).toEqual(expected);
    };
    fc.assert(fc.property(things, same), { numRuns: 1_000 });
  });

  test('nor in lists [F71]', () => {
    const same = (items: readonly Thing[]): void => {
      const text = JSON.stringify({ items });
      const expected = (JSON.parse(text) as { items: Thing[] }).items.map(without);
      expect(parseLean(text, many).items).toEqual(expected);
    };
    fc.assert(fc.property(fc.array(things, { maxLength: 3 }), same), { numRuns: 200 });
  });

  test('what is no JSON is an error', () => {
    expect(() => parseLean('{"metadata":{"name":"a","managedFields":[{"x":1}]', one)).toThrow(SyntaxError);
  });
});
