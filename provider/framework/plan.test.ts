/** The plan rules against what Terraform's core checks, for any attributes, configuration and prior state. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Attribute, type Attributes, list, map, nested, set } from './attributes.ts';
import { differences, leftUnknown } from './conformance.ts';
import { canonical, isSame } from './equality.ts';
import { plannedObject, replacements, withDefaults, withoutUnknown, withoutWriteOnly } from './plan.ts';
import { isComputed, nestedOf } from './schema.ts';
import { isRecord, isUnknown, isWhollyKnown, UNKNOWN, type Value, type ValueRecord } from './values.ts';

const inner = {
  given: { type: 'string', required: true, doc: '' },
  preset: { type: 'string', optional: true, default: 'x', doc: '' },
  made: { type: 'string', computed: true, doc: '' },
  either: { type: 'string', optional: true, computed: true, doc: '' },
} as const satisfies Attributes;

const attributes = {
  name: { type: 'string', required: true, doc: '', replace: 'a name is for ever' },
  size: { type: 'number', optional: true, default: 3, doc: '' },
  id: { type: 'string', computed: true, doc: '' },
  zone: { type: 'string', optional: true, computed: true, doc: '' },
  key: { type: 'string', optional: true, writeOnly: true, doc: '' },
  one: { type: nested('single', inner), optional: true, doc: '' },
  many: { type: nested('list', inner), optional: true, doc: '' },
  named: { type: nested('map', inner), optional: true, doc: '' },
  bag: { type: nested('set', { given: inner.given }), optional: true, doc: '' },
  status: { type: nested('single', { at: { type: 'string', computed: true, doc: '' } }), computed: true, doc: '' },
} as const satisfies Attributes;

const nothing: ValueRecord = Object.fromEntries(Object.keys(attributes).map((name) => [name, null]));
const config = (values: ValueRecord): ValueRecord => ({ ...nothing, ...values });

describe('plannedObject()', () => {
  const innerConfig = { given: 'a', preset: null, made: null, either: null };

  test('plans what the user gave, defaults, and unknown for what the provider makes', () => {
    expect(plannedObject(attributes, config({ name: 'n', key: 'k', one: innerConfig }), undefined)).toEqual({
      ...nothing,
      name: 'n',
      size: 3,
      id: UNKNOWN,
      zone: UNKNOWN,
      key: null,
      one: { given: 'a', preset: 'x', made: UNKNOWN, either: UNKNOWN },
      status: UNKNOWN,
    });
  });

  test('keeps what was made, also when other attributes change; a default replaces what is no longer given', () => {
    const prior = { ...nothing, name: 'n', size: 9, id: 'i', zone: 'z', status: { at: 'now' } };
    expect(plannedObject(attributes, config({ name: 'm' }), prior)).toEqual({ ...prior, name: 'm', size: 3 });
  });

  test('knows elements by place or key; new ones are not known yet', () => {
    const made = { given: 'a', preset: 'x', made: 'm1', either: 'e1' };
    const prior = config({ name: 'n', many: [made], named: { k: made } });
    const both = [{ ...innerConfig, given: 'new' }, innerConfig];
    const planned = plannedObject(
      attributes,
      config({ name: 'n', many: both.toReversed(), named: { k: innerConfig, l: innerConfig } }),
      prior,
    );
    const fresh = { preset: 'x', made: UNKNOWN, either: UNKNOWN };
    expect(planned['many']).toEqual([made, { ...fresh, given: 'new' }]);
    expect(planned['named']).toEqual({ k: made, l: { ...fresh, given: 'a' } });
  });

  test('leaves what is unknown in the configuration unknown, at every level', () => {
    const planned = plannedObject(
      attributes,
      config({ name: UNKNOWN, size: UNKNOWN, many: [UNKNOWN, { ...innerConfig, given: UNKNOWN }], named: UNKNOWN }),
      undefined,
    );
    expect(planned).toMatchObject({ name: UNKNOWN, size: UNKNOWN, named: UNKNOWN });
    expect(planned['many']).toMatchObject([UNKNOWN, { given: UNKNOWN }]);
  });
});

describe('replacements()', () => {
  test('names the attribute that changed and why, also inside nested attributes, and nothing else', () => {
    const deep = { box: { type: nested('map', { volume: attributes.name }), optional: true, doc: '' } } as const;
    const prior = { box: { a: { volume: '1' }, b: { volume: '1' } } };
    const planned = { box: { a: { volume: '1' }, b: { volume: '2' } } };
    expect(replacements(deep, prior, planned)).toEqual([{ path: ['box', 'b', 'volume'], why: 'a name is for ever' }]);
    expect(replacements(deep, prior, prior)).toEqual([]);
  });

  test('counts a value that is not known yet as changed', () => {
    expect(replacements(attributes, config({ name: 'n' }), config({ name: UNKNOWN }))).toHaveLength(1);
  });
});

describe('differences()', () => {
  test('finds nothing where the plan left it open', () => {
    const planned = config({
      name: 'n',
      id: UNKNOWN,
      many: [{ given: 'a', preset: 'x', made: UNKNOWN, either: null }],
    });
    const result = config({ name: 'n', id: 'i', many: [{ given: 'a', preset: 'x', made: 'm', either: null }] });
    expect(differences(attributes, planned, result)).toEqual([]);
  });

  test.each<[string, ValueRecord, ValueRecord, string]>([
    ['another value', { size: 3 }, { size: 4 }, 'size: it was planned as 3 and became 4.'],
    ['a value instead of none', { zone: null }, { zone: 'z' }, 'zone: it was planned as null and became "z".'],
    ['an element more', { many: [] }, { many: [{ given: 'a' }] }, 'many: it has other elements than planned.'],
    ['another key', { named: { a: {} } }, { named: { b: {} } }, 'named: it has other elements than planned.'],
    ['a value inside', { one: { given: 'a' } }, { one: { given: 'b' } }, 'one.given: it was planned as "a" and became'],
    ['a set changed', { bag: [{ given: 'a' }] }, { bag: [{ given: 'b' }] }, 'bag: it has other elements than planned.'],
  ])('finds %s', (_, planned, result, text) => {
    const [found] = differences(attributes, config(planned), config(result));
    expect(found?.detail).toContain(text);
    expect(found?.detail).toContain('bug of the provider');
  });

  test('does not show a sensitive value', () => {
    const secret = { password: { type: 'string', optional: true, sensitive: true, doc: '' } } as const;
    const [found] = differences(secret, { password: 'p1' }, { password: 'p2' });
    expect(found?.detail).not.toMatch(/p1|p2/);
  });

  test('leftUnknown() names what a handler forgot', () => {
    expect(leftUnknown({ a: 1, b: { c: UNKNOWN } })[0]?.detail).toContain('what b is');
  });
});

// What follows plans for arbitrary declarations and compares with the rules of core, written down a second time.

const names = ['a', 'b', 'c'];
const roleArb = fc.constantFrom('required', 'optional', 'computed', 'either', 'default', 'writeOnly');

function attributeOf(role: string, type: Attribute['type'], preset: Value): Attribute {
  switch (role) {
    case 'required':
      return { type, required: true, doc: '' };
    case 'computed':
      return { type, computed: true, doc: '' };
    case 'either':
      return { type, optional: true, computed: true, doc: '' };
    case 'default':
      return { type, optional: true, default: preset, doc: '' };
    case 'writeOnly':
      return { type, optional: true, writeOnly: true, doc: '' };
    default:
      return { type, optional: true, doc: '' };
  }
}

const leafTypes: readonly (readonly [Attribute['type'], Value])[] = [
  ['string', 'preset'],
  ['number', 7],
  ['bool', true],
  [list('string'), ['preset']],
  [set('number'), [7]],
  [map('bool'), { preset: true }],
];

const leafArb: fc.Arbitrary<Attribute> = fc
  .tuple(roleArb, fc.constantFrom(...leafTypes))
  .map(([role, [type, preset]]) => attributeOf(role, type, preset));

const attributesArb: fc.Arbitrary<Attributes> = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...names), leafArb, { minKeys: 1 }),
    fc.dictionary(
      fc.constantFrom('x', 'y'),
      fc.tuple(
        fc.constantFrom('single', 'list', 'map', 'set' as const),
        fc.constantFrom('required', 'optional', 'computed', 'either'),
        fc.dictionary(fc.constantFrom(...names), leafArb, { minKeys: 1 }),
      ),
    ),
  )
  .map(([leaves, inners]) => ({
    ...leaves,
    ...Object.fromEntries(
      Object.entries(inners).map(([name, [mode, role, members]]) => {
        const safe = mode === 'set' ? plainOf(members) : members;
        return [name, attributeOf(role, nested(mode, safe), null)];
      }),
    ),
  }));

/** Sets may hold nothing else. */
function plainOf(members: Attributes): Attributes {
  return Object.fromEntries(Object.entries(members).filter(([, one]) => !isComputed(one) && !one.writeOnly));
}

function leafValue(type: Attribute['type'], unknowns: boolean): fc.Arbitrary<Value> {
  const primitive: Record<string, fc.Arbitrary<Value>> = {
    string: fc.constantFrom('', 'u', 'v'),
    number: fc.constantFrom(0, 1, 0.5),
    bool: fc.boolean(),
  };
  const of = (name: string): fc.Arbitrary<Value> => primitive[name] ?? fc.constant(null);
  if (typeof type === 'string') return of(type);
  if (!('collection' in type)) return fc.constant(null);
  const item = unknowns ? fc.oneof(of(type.of), fc.constant(UNKNOWN)) : of(type.of);
  if (type.collection === 'map') return fc.dictionary(fc.constantFrom('k', 'l'), item);
  return type.collection === 'set' ? fc.uniqueArray(item, { maxLength: 2 }) : fc.array(item, { maxLength: 2 });
}

function valueFor(attribute: Attribute, unknowns: boolean): fc.Arbitrary<Value> {
  const type = nestedOf(attribute.type);
  if (type === undefined) return leafValue(attribute.type, unknowns);
  const one = objectFor(type.attributes, unknowns ? 'config' : 'prior') as fc.Arbitrary<Value>;
  if (type.nested === 'single') return one;
  if (type.nested === 'map') return fc.dictionary(fc.constantFrom('k', 'l'), one);
  return fc.array(one, { maxLength: 2 });
}

/** An object that Terraform could send as configuration, or have kept as state. */
function objectFor(declared: Attributes, as: 'config' | 'prior'): fc.Arbitrary<ValueRecord> {
  return fc.record(
    Object.fromEntries(
      Object.entries(declared).map(([name, attribute]) => {
        const settable = (attribute.required ?? false) || (attribute.optional ?? false);
        const stored = as === 'prior' && attribute.writeOnly;
        if (stored || (as === 'config' && !settable)) return [name, fc.constant(null)];
        const value = valueFor(attribute, as === 'config');
        const given = as === 'config' ? fc.oneof({ weight: 4, arbitrary: value }, fc.constant(UNKNOWN)) : value;
        return [name, attribute.required ? given : fc.oneof({ weight: 3, arbitrary: given }, fc.constant(null))];
      }),
    ),
  ) as fc.Arbitrary<ValueRecord>;
}

/** The rules of core's check of a plan: what is wrong, or nothing. Elements are in the order of the configuration. */
function objections(declared: Attributes, given: ValueRecord, planned: ValueRecord): string[] {
  return Object.entries(declared).flatMap(([name, attribute]) => {
    const pair = { name, given: given[name] ?? null, planned: planned[name] ?? null };
    if (attribute.writeOnly) return pair.planned === null ? [] : [`${name}: write-only in plan`];
    if (pair.given !== null) return givenObjections(attribute, pair);
    return pair.planned === null || isComputed(attribute) ? [] : [`${name}: made up`];
  });
}

interface Pair {
  readonly name: string;
  readonly given: Value;
  readonly planned: Value;
}

function givenObjections(attribute: Attribute, { name, given, planned }: Pair): string[] {
  const type = nestedOf(attribute.type);
  if (type === undefined || isUnknown(given)) {
    return isSame(attribute.type, given, planned) ? [] : [`${name}: not as configured`];
  }
  const elements = (value: Value): readonly (readonly [string, Value])[] =>
    type.nested === 'single' ? [['', value]] : Object.entries(value as ValueRecord);
  const [before, after] = [elements(given), new Map(elements(planned))];
  if (before.length !== after.size) return [`${name}: other elements`];
  return before.flatMap(([key, item]) => {
    const match = after.get(key) ?? null;
    if (!isRecord(item)) return isSame('dynamic', item, match) ? [] : [`${name}.${key}: element changed`];
    return isRecord(match) ? objections(type.attributes, item, match) : [`${name}.${key}: no object`];
  });
}

const caseArb = attributesArb.chain((declared) =>
  fc.record({
    declared: fc.constant(declared),
    given: objectFor(declared, 'config'),
    prior: fc.option(objectFor(declared, 'prior'), { nil: undefined }),
  }),
);

describe('for any declaration', () => {
  test('a plan is one that core accepts', () => {
    fc.assert(
      fc.property(caseArb, ({ declared, given, prior }) => {
        const planned = plannedObject(declared, given, prior);
        expect(objections(declared, given, planned)).toEqual([]);
        expect(Object.keys(planned)).toEqual(Object.keys(declared));
      }),
      { numRuns: 500 },
    );
  });

  test('planning again what was planned and made changes nothing', () => {
    fc.assert(
      fc.property(caseArb, ({ declared, given, prior }) => {
        const settled = settle(given) as ValueRecord;
        const made = settle(plannedObject(declared, settled, prior)) as ValueRecord;
        const again = plannedObject(declared, settled, made);
        expect(canonical({ nested: 'single', attributes: declared }, again)).toBe(
          canonical({ nested: 'single', attributes: declared }, made),
        );
        expect(replacements(declared, made, again)).toEqual([]);
        expect(differences(declared, plannedObject(declared, settled, prior), made)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('write-only values and unknown ones can be taken out of anything', () => {
    fc.assert(
      fc.property(caseArb, ({ declared, given }) => {
        expect(isWhollyKnown(withoutUnknown(given))).toBe(true);
        const stored = withoutWriteOnly(declared, given);
        expect(objectKeepsNoWriteOnly(declared, stored)).toBe(true);
        expect(withDefaults(declared, withDefaults(declared, given))).toEqual(withDefaults(declared, given));
      }),
    );
  });
});

/** Gives every unknown value one, as an apply would. */
function settle(value: Value): Value {
  if (isUnknown(value)) return null;
  if (Array.isArray(value)) return value.map(settle);
  return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, settle(item)])) : value;
}

function objectKeepsNoWriteOnly(declared: Attributes, values: ValueRecord): boolean {
  return Object.entries(declared).every(([name, { writeOnly }]) => !writeOnly || values[name] === null);
}
