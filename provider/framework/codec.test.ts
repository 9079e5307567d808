/** Values on their way to and from Terraform: types, schemas, paths, states of earlier versions. */
import { describe, expect, test } from 'vitest';
import { Codec } from '../wire/protobuf.ts';
import { enums, messages } from '../wire/tfplugin6.ts';
import type { Messages } from '../wire/tfplugin6.ts';
import { type Attributes, list, map, nested, object, set } from './attributes.ts';
import { complete, decodeObject, decodePrivate, encodeObject, encodePrivate } from './codec.ts';
import { canonical, isSame } from './equality.ts';
import { ProviderError } from './diagnostics.ts';
import { diagnosticsOf, pathOf } from './paths.ts';
import { ctyOf, schemaOf } from './schema.ts';
import { upgraded } from './upgrade.ts';
import { validate } from './validate.ts';
import { Dynamic, UNKNOWN, type ValueRecord } from './values.ts';

const attributes: Attributes = {
  name: { type: 'string', required: true, doc: 'Name.' },
  count_of: { type: 'number', optional: true, default: 1, doc: 'Count.' },
  labels: { type: map('string'), optional: true, sensitive: true, doc: 'Labels.' },
  anything: { type: 'dynamic', optional: true, doc: 'Anything.' },
  words: { type: set('string'), optional: true, doc: 'Words.' },
  old: { type: 'bool', optional: true, deprecated: 'Use `new` instead.', doc: 'Old.' },
  parts: {
    optional: true,
    doc: 'Parts.',
    type: nested('list', {
      size: {
        type: 'number',
        optional: true,
        doc: 'Size.',
        check: (value, path) => [{ severity: 'error', summary: 'No', detail: JSON.stringify(value), path }],
      },
      made: { type: 'string', computed: true, doc: 'Made.' },
    }),
  },
  named: { type: nested('map', { on: { type: 'bool', required: true, doc: 'On.' } }), optional: true, doc: 'Named.' },
};
const empty: ValueRecord = complete(attributes, {});

function roundTrip(values: ValueRecord): ValueRecord | null {
  const { msgpack = new Uint8Array() } = encodeObject(attributes, values, 'test');
  return decodeObject(attributes, { msgpack, json: new Uint8Array() }, 'test');
}

describe('codec', () => {
  test('objects come back as they were, with null for what was left out at every depth', () => {
    const values = {
      name: UNKNOWN,
      count_of: 0.1,
      labels: { a: UNKNOWN, b: null },
      anything: new Dynamic(['tuple', ['string', 'bool']], ['x', true]),
      parts: [{ size: 2 }, UNKNOWN],
      named: { k: { on: true } },
    };
    expect(roundTrip(values)).toEqual({ ...empty, ...values, parts: [{ size: 2, made: null }, UNKNOWN] });
    expect(decodeObject(attributes, undefined, 'test')).toBeNull();
  });

  test('a value that its attribute cannot hold, or an attribute that is none, is an error that names the place', () => {
    expect(() => encodeObject(attributes, { name: 5 }, 'state')).toThrow('state.name: must be a string, got: number.');
    expect(() => encodeObject(attributes, { nam: 'x' }, 'state')).toThrow('state.nam');
    expect(() => encodeObject(attributes, { name: 'x', parts: [{ sise: 1 }] }, 'state')).toThrow('parts[0].sise');
  });

  test('private data comes back; none is no bytes', () => {
    expect(decodePrivate(encodePrivate({ a: [1, { b: null }] }))).toEqual({ a: [1, { b: null }] });
    expect(encodePrivate({})).toHaveLength(0);
    expect(decodePrivate(undefined)).toEqual({});
    expect(() => decodePrivate(new TextEncoder().encode('[1]'))).toThrow('no JSON object');
  });
});

describe('types', () => {
  test('are written as go-cty does', () => {
    expect(ctyOf(object({ a: 'string', b: list('number') }))).toEqual([
      'object',
      { a: 'string', b: ['list', 'number'] },
    ]);
    expect(ctyOf(nested('set', { a: { type: 'bool', required: true, doc: '' } }))).toEqual([
      'set',
      ['object', { a: 'bool' }],
    ]);
  });

  test('schemas carry nesting, flags and docs; a default makes an attribute computed for Terraform', () => {
    const { block } = schemaOf(attributes, 'About.', 3);
    const byName = Object.fromEntries((block?.attributes ?? []).map((one) => [one.name, one]));
    expect(block).toMatchObject({ version: 3, description: 'About.', descriptionKind: 'MARKDOWN' });
    expect(byName['name']).toMatchObject({ required: true, optional: false, computed: false, description: 'Name.' });
    expect(byName['count_of']).toMatchObject({ optional: true, computed: true });
    expect(byName['labels']).toMatchObject({ sensitive: true, type: new TextEncoder().encode('["map","string"]') });
    expect(byName['old']).toMatchObject({ deprecated: true });
    expect(byName['parts']?.nestedType).toMatchObject({
      nesting: 'LIST',
      attributes: [{ name: 'size' }, { name: 'made' }],
    });
    expect(byName['parts']?.type).toBeUndefined();
  });
});

describe('equality', () => {
  test('of sets is without order, of lists with it; types of dynamic values count', () => {
    expect(isSame(set('string'), ['a', 'b'], ['b', 'a'])).toBe(true);
    expect(isSame(list('string'), ['a', 'b'], ['b', 'a'])).toBe(false);
    expect(isSame('dynamic', new Dynamic('string', 'a'), new Dynamic('string', 'a'))).toBe(true);
    expect(isSame('dynamic', new Dynamic(['list', 'string'], []), new Dynamic(['tuple', []], []))).toBe(false);
    expect(isSame('string', UNKNOWN, 'unknown')).toBe(false);
    expect(isSame('string', null, 'null')).toBe(false);
    expect(canonical(map('string'), { b: '1', a: '2' })).toBe(canonical(map('string'), { a: '2', b: '1' }));
  });
});

describe('paths', () => {
  test.each([
    [['name'], [{ attributeName: 'name' }]],
    [
      ['labels', 'a.b'],
      [{ attributeName: 'labels' }, { elementKeyString: 'a.b' }],
    ],
    [
      ['parts', 1, 'size'],
      [{ attributeName: 'parts' }, { elementKeyInt: 1 }, { attributeName: 'size' }],
    ],
    [
      ['named', 'k', 'on'],
      [{ attributeName: 'named' }, { elementKeyString: 'k' }, { attributeName: 'on' }],
    ],
    [['words', 0], [{ attributeName: 'words' }]],
    [['name', 'further'], [{ attributeName: 'name' }]],
    [
      ['parts', 0, 'nothing'],
      [{ attributeName: 'parts' }, { elementKeyInt: 0 }],
    ],
  ])('%j', (path, steps) => {
    expect(pathOf(attributes, path)).toEqual({ steps });
  });

  test('of no attribute is none', () => {
    expect(pathOf(attributes, ['nothing'])).toBeUndefined();
    expect(pathOf(attributes, [])).toBeUndefined();
  });

  test('inside an attribute are named in the detail, once, because Terraform underlines the attribute only', () => {
    const diagnostic = { severity: 'error', summary: 'No', detail: 'Too big.', path: ['parts', 1, 'size'] } as const;
    expect(diagnosticsOf(attributes, [diagnostic])).toEqual([
      {
        severity: 'ERROR',
        summary: 'No',
        detail: 'parts[1].size: Too big.',
        attribute: { steps: [{ attributeName: 'parts' }] },
      },
    ]);
    const own = { ...diagnostic, detail: 'parts[1].size is too big.' };
    expect(diagnosticsOf(attributes, [own])[0]?.detail).toBe(own.detail);
  });
});

describe('text that others have written', () => {
  const said = (detail: string): string | undefined =>
    diagnosticsOf(attributes, [{ severity: 'error', summary: 'No', detail }])[0]?.detail;

  test.each([
    ['colours', '\u001b[31merror\u001b[0m: no', 'error: no'],
    ['a title for the terminal, a link', '\u001b]0;pwned\u0007a \u001b]8;;https://x\u0007b\u001b]8;;\u0007', 'a b'],
    ['what moves the cursor', 'ready\rnot \b\u009b2Jready', 'readynot ready'],
    ['nothing but lines and tabs', 'one\r\n\ttwo \u{1f600} ü', 'one\n\ttwo \u{1f600} ü'],
  ])('shows its words in a diagnostic, and does nothing to the terminal: %s', (_, text, shown) => {
    expect(said(text)).toBe(shown);
  });

  test('may end in the middle of a character: neither an answer nor a state is lost for it', () => {
    const cut = '\u{1f600}'.slice(0, 1);
    expect(() => new Codec<Messages>(messages, enums).encode('Diagnostic', { detail: said(`a${cut}`) })).not.toThrow();
    expect(roundTrip({ name: cut, labels: { [cut]: cut } })).toMatchObject({
      name: '\ufffd',
      labels: { '\ufffd': '\ufffd' },
    });
  });
});

describe('validate()', () => {
  test('goes into nested attributes, passes over what is unknown, warns of what is deprecated', () => {
    const found = validate(attributes, {
      ...empty,
      name: UNKNOWN,
      old: true,
      parts: [UNKNOWN, { size: 4 }, { size: UNKNOWN }],
    });
    expect(found).toMatchObject([
      { severity: 'warning', detail: 'Use `new` instead.', path: ['old'] },
      { severity: 'error', detail: '4', path: ['parts', 1, 'size'] },
    ]);
  });

  test('does not check a list while one of its elements is unknown', () => {
    const check = () => [{ severity: 'error', summary: 'Checked', detail: '' } as const];
    const words: Attributes = { words: { type: list('string'), optional: true, doc: '', check } };
    expect(validate(words, { words: ['a', UNKNOWN] })).toEqual([]);
    expect(validate(words, { words: ['a'] })).toHaveLength(1);
  });

  test("calls the handler's own only when single attributes are right", () => {
    const own = () => [{ severity: 'error', summary: 'Own', detail: '' } as const];
    expect(validate(attributes, empty, own)).toMatchObject([{ summary: 'Own' }]);
    expect(validate(attributes, { ...empty, parts: [{ size: 1 }] }, own)).toMatchObject([{ summary: 'No' }]);
  });
});

describe('upgraded()', () => {
  const definition = {
    name: 'toy_box',
    version: 2,
    attributes,
    upgrades: {
      0: ({ title, ...rest }: Readonly<Record<string, unknown>>) => ({ ...rest, name: title as string }),
      1: (state: object) => ({ ...state, count_of: 5 }),
    },
  };
  const bytes = (state: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(state));

  test('goes step by step, drops what is no attribute, adds what is new', () => {
    const state = { title: 'n', gone: 1, parts: [{ size: '2', gone: true }] };
    expect(upgraded(definition, 0, bytes(state))).toEqual({
      ...empty,
      name: 'n',
      count_of: 5,
      parts: [{ size: 2, made: null }],
    });
    expect(upgraded(definition, 2, bytes({ name: 'n' }))).toEqual({ ...empty, name: 'n' });
  });

  test('reads dynamic values with their types', () => {
    const state = { name: 'n', anything: { type: ['list', 'string'], value: ['a'] } };
    expect(upgraded(definition, 2, bytes(state))['anything']).toEqual(new Dynamic(['list', 'string'], ['a']));
  });

  test.each([
    ['a newer one', 3, { name: 'n' }, 'newer than this provider'],
    ['none at all', 2, 'text', 'cannot be read'],
    ['another type', 2, { name: { a: 1 } }, 'toy_box.name should be a string'],
    ['another type inside', 2, { name: 'n', parts: [{ size: '' }] }, 'toy_box.parts[0].size should be a number'],
  ])('refuses %s', (_, version, state, words) => {
    expect(() => upgraded(definition, version, bytes(state))).toThrow(words);
    expect(() => upgraded(definition, version, bytes(state))).toThrow(ProviderError);
  });

  test('misses no step', () => {
    expect(() => upgraded({ ...definition, upgrades: {} }, 0, bytes({}))).toThrow('no upgrade from version 0');
  });
});
