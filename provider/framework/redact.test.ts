/** What is declared as sensitive: where it is found, and that no answer repeats it. */
import { describe, expect, test } from 'vitest';
import { toy } from '../../test/provider/toy.ts';
import { createLog } from '../wire/log.ts';
import { Secrets } from '../wire/secrets.ts';
import type { ProviderService } from '../wire/service.ts';
import type { Draft } from '../wire/tables.ts';
import type { Diagnostic as WireDiagnostic, DynamicValue } from '../wire/tfplugin6.ts';
import { type Attribute, nested } from './attributes.ts';
import { text } from './checks.ts';
import { encodeObject } from './codec.ts';
import { defineDataSource } from './data-source.ts';
import type { ProviderType } from './define-provider.ts';
import { type Diagnostic, failure } from './diagnostics.ts';
import { defineEphemeral } from './ephemeral.ts';
import { secretsIn } from './redact.ts';
import { defineResource } from './resource.ts';
import { serviceOf } from './server.ts';
import type { ValueRecord } from './values.ts';

const call = { signal: new AbortController().signal, connection: {} };
const none = new Uint8Array();

test('secretsIn() finds what is sensitive or write-only at every depth', () => {
  const leaf = { type: 'string', optional: true, doc: '' } as const;
  const inner = { open: leaf, hidden: { ...leaf, sensitive: true }, key: { ...leaf, writeOnly: true } };
  const attributes = {
    one: { type: nested('single', inner), optional: true, doc: '' },
    many: { type: nested('map', inner), optional: true, doc: '' },
    whole: { type: nested('list', inner), optional: true, sensitive: true, doc: '' },
  } as const;
  const value = { open: 'o', hidden: 'h', key: 'k' };
  expect(secretsIn(attributes, { one: value, many: { a: value }, whole: [value] })).toEqual([
    'h',
    'k',
    'h',
    'k',
    'o',
    'h',
    'k',
  ]);
  expect(secretsIn(attributes, null)).toEqual([]);
});

describe('a sensitive value is in no diagnostic', () => {
  const quoting: Attribute = {
    type: 'string',
    optional: true,
    sensitive: true,
    doc: 'P.',
    check: text(() => 'longer'),
  };
  const attributes = { name: { type: 'string', required: true, doc: 'N.' }, password: quoting } as const;
  const told = (values: ValueRecord): Diagnostic[] => [failure('Quoted', JSON.stringify(values))];
  const safe: ProviderType = {
    ...toy,
    resources: [
      defineResource({
        name: 'toy_safe',
        doc: 'S.',
        version: 0,
        attributes,
        plan: ({ config }) => ({ diagnostics: told(config) }),
        planDelete: ({ prior }) => told(prior),
        create: async ({ planned }) => ({ state: planned }),
        read: async ({ state }) => ({ state, diagnostics: told(state) }),
        update: async ({ planned }) => ({ state: planned }),
        delete: async ({ prior }) => told(prior),
      }),
    ],
    dataSources: [defineDataSource({ name: 'toy_safe', doc: 'S.', attributes, read: async () => ({ state: {} }) })],
    ephemerals: [defineEphemeral({ name: 'toy_safe', doc: 'S.', attributes, open: async () => ({ result: {} }) })],
  };
  const wire = (values: ValueRecord | null): DynamicValue => {
    const { msgpack = none } = encodeObject(attributes, values, 'test');
    return { msgpack, json: none };
  };
  const whole = wire({ name: 'n', password: 'hunter2-hunter2' });
  const nothing = wire(null);
  const typeName = 'toy_safe';
  const applied = { typeName, priorState: nothing, plannedState: whole, config: whole, plannedPrivate: none };
  const planned = { typeName, priorState: nothing, proposedNewState: whole, config: whole, priorPrivate: none };

  type Handlers = ProviderService['handlers'];
  type Answer = { readonly diagnostics?: readonly Draft<WireDiagnostic>[] | undefined };

  // A process each: what one RPC has told to be secret must not help the next.
  test.each<[string, (handlers: Handlers) => Promise<Answer> | Answer]>([
    ['a resource that is validated', (to) => to.ValidateResourceConfig({ typeName, config: whole }, call)],
    ['a resource that is planned', (to) => to.PlanResourceChange(planned, call)],
    ['a resource that is created, known only now', (to) => to.ApplyResourceChange(applied, call)],
    ['a resource that is read', (to) => to.ReadResource({ typeName, currentState: whole, private: none }, call)],
    [
      'a resource that is to be destroyed',
      (to) => to.PlanResourceChange({ ...planned, priorState: whole, proposedNewState: nothing }, call),
    ],
    [
      'a resource that is destroyed',
      (to) => to.ApplyResourceChange({ ...applied, priorState: whole, plannedState: nothing, config: nothing }, call),
    ],
    ['a data source', (to) => to.ReadDataSource({ typeName, config: whole }, call)],
    ['an ephemeral', (to) => to.OpenEphemeralResource({ typeName, config: whole }, call)],
  ])('of %s', async (_, ask) => {
    const secrets = new Secrets();
    const log = createLog({ level: undefined, secrets, write: () => undefined });
    const { diagnostics = [] } = await ask(serviceOf(safe, { log, secrets }).handlers);
    expect(diagnostics).not.toEqual([]);
    const said = JSON.stringify(diagnostics);
    expect(said).toContain('[secret]');
    expect(said).not.toContain('hunter2');
  });
});
