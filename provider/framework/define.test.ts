/** The types that follow from declarations: this file is checked by the compiler more than by running it. */
import { expect, expectTypeOf, test } from 'vitest';
import { type Attributes, list, map, nested, object, together } from './attributes.ts';
import { defineFunction, type FunctionType } from './function.ts';
import { defineResource, type ResourceType } from './resource.ts';
import { timeouts } from './timeouts.ts';
import type { Unknown, Value } from './values.ts';

interface Configured {
  readonly color: string;
}

test('defineResource() gives handlers typed values and the configured provider', () => {
  const toy: ResourceType<Configured> = defineResource({
    name: 'toy_box',
    doc: 'A box.',
    version: 0,
    attributes: {
      name: { type: 'string', required: true, doc: 'Name.' },
      size: { type: 'number', optional: true, default: 3, doc: 'Size.' },
      tags: { type: map('string'), optional: true, doc: 'Tags.' },
      lid: {
        type: nested('single', { hinges: { type: list('string'), required: true, doc: 'H.' } }),
        optional: true,
        doc: 'L.',
      },
      id: { type: 'string', computed: true, doc: 'Id.' },
      timeouts: timeouts({ create: '5m' }),
    },
    create: async ({ config, planned, provider }) => {
      expectTypeOf(provider).toEqualTypeOf<Configured>();
      expectTypeOf(config.name).toEqualTypeOf<string>();
      expectTypeOf(config.size).toEqualTypeOf<number>();
      expectTypeOf(config.tags).toEqualTypeOf<Readonly<Record<string, string>> | null>();
      expectTypeOf(config.lid).toEqualTypeOf<{ readonly hinges: readonly string[] } | null>();
      expectTypeOf(planned.id).toEqualTypeOf<string | Unknown | null>();
      return { state: { ...planned, id: 'x' } };
    },
    read: async ({ state }) => ({ state: { ...state, id: state.name } }),
    update: async ({ planned, prior }) => ({ state: { ...planned, id: prior.id } }),
    delete: async () => {},
  });
  expect(toy.name).toBe('toy_box');
});

test('defineFunction() gives run() its arguments and asks for its result', () => {
  const add: FunctionType = defineFunction({
    name: 'pair',
    summary: 'Pairs.',
    doc: 'Pairs.',
    parameters: [
      { name: 'a', type: 'string', doc: 'A.' },
      { name: 'b', type: list('number'), doc: 'B.', nullable: true },
    ],
    returns: object({ a: 'string', sum: 'number' }),
    run: (a, b) => {
      expectTypeOf(a).toEqualTypeOf<string>();
      expectTypeOf(b).toEqualTypeOf<readonly number[] | null>();
      return { a, sum: (b ?? []).reduce((x, y) => x + y, 0) };
    },
  });
  expect(add.definition.run('x', [1, 2])).toEqual({ a: 'x', sum: 3 });
});

test('defineResource() keeps the types of what has a name beside attributes that are built at run time', () => {
  const built: Attributes = { sync: { type: 'string', optional: true, doc: 'S.' } };
  const toy: ResourceType<Configured> = defineResource({
    name: 'toy_box',
    doc: 'A box.',
    version: 0,
    attributes: together({ name: { type: 'string', required: true, doc: 'Name.' } }, built),
    create: async ({ config, planned }) => {
      expectTypeOf(config.name).toEqualTypeOf<string>();
      expectTypeOf(config['sync']).toEqualTypeOf<Value | undefined>();
      return { state: planned };
    },
    read: async () => undefined,
    update: async ({ planned }) => ({ state: { ...planned, name: 'x' } }),
    delete: async () => {},
  });
  expect(Object.keys(toy.definition.attributes)).toEqual(['name', 'sync']);
});
