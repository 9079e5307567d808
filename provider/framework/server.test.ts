/** The RPCs, asked directly: what a well-behaved Terraform would never ask, and what no single handler shows. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toy } from '../../test/provider/toy.ts';
import { createLog } from '../wire/log.ts';
import { decodeValue, encodeValue } from '../wire/msgpack.ts';
import { Secrets } from '../wire/secrets.ts';
import type { ProviderService } from '../wire/service.ts';
import type { DynamicValue } from '../wire/tfplugin6.ts';
import type { Attributes } from './attributes.ts';
import { complete, decodeObject, encodeObject } from './codec.ts';
import type { ProviderType } from './define-provider.ts';
import { failure } from './diagnostics.ts';
import { plannedObject } from './plan.ts';
import { defineResource, type DeleteCall, type ResourceType } from './resource.ts';
import { serviceOf } from './server.ts';
import { UNKNOWN, type ValueRecord } from './values.ts';

const call = { signal: new AbortController().signal, connection: {} };
const none = new Uint8Array();

function serve(provider: ProviderType): ProviderService {
  const secrets = new Secrets();
  return serviceOf(provider, { secrets, log: createLog({ level: undefined, secrets, write: () => undefined }) });
}

function wire(attributes: Attributes, values: ValueRecord | null): DynamicValue {
  const { msgpack = none } = encodeObject(attributes, values && complete(attributes, values), 'test');
  return { msgpack, json: none };
}

const [box] = toy.resources;
const boxAttributes: Attributes = box?.definition.attributes ?? {};

/** An ApplyResourceChange that creates a box. */
function creation(config: ValueRecord): Parameters<ProviderService['handlers']['ApplyResourceChange']>[0] {
  const whole = complete(boxAttributes, config);
  return {
    typeName: 'toy_box',
    priorState: wire(boxAttributes, null),
    plannedState: wire(boxAttributes, plannedObject(boxAttributes, whole, undefined)),
    config: wire(boxAttributes, whole),
    plannedPrivate: none,
  };
}

describe('the toy', () => {
  let folder: string;
  let handlers: ProviderService['handlers'];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'toy-boxes-'));
    ({ handlers } = serve(toy));
    await handlers.ConfigureProvider({ terraformVersion: '1.11.4', config: wire(toy.attributes, { folder }) }, call);
  });

  afterAll(() => rm(folder, { recursive: true }));

  test('a configuration that became known is validated again before anything is made', async () => {
    const { newState, diagnostics } = await handlers.ApplyResourceChange(
      creation({ name: 'one', color: 'grey' }),
      call,
    );
    expect(diagnostics).toMatchObject([{ severity: 'ERROR', attribute: { steps: [{ attributeName: 'color' }] } }]);
    expect(newState).toEqual({ msgpack: wire(boxAttributes, null).msgpack });
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    ['all is well', {}, []],
    ['it fails half-way', { fail: 'after' }, [{ summary: 'Half a box' }]],
  ])('what is write-only is in no state, also when a handler returns it and %s', async (_, how, said) => {
    const asked = creation({ name: 'kept', key_wo: 'k', ...how });
    const { newState, diagnostics } = await handlers.ApplyResourceChange(asked, call);
    const state = decodeObject(boxAttributes, newState as DynamicValue, 'state');
    expect(state).toMatchObject({ id: 'kept', key_wo: null });
    expect(diagnostics).toMatchObject(said);
    await rm(join(folder, 'kept.json'));
  });

  test('ten are made at once', async () => {
    const names = Array.from({ length: 10 }, (_, index) => String.fromCodePoint(97 + index));
    const command = { ...call, connection: {} };
    const stopped = names.map(async (name) => handlers.ApplyResourceChange(creation({ name, wait: true }), command));
    await expect.poll(() => readdir(folder)).toHaveLength(10);
    await handlers.StopProvider({}, command);
    for (const { diagnostics, newState } of await Promise.all(stopped)) {
      expect(diagnostics).toMatchObject([{ summary: 'Interrupted: could not create toy_box' }]);
      expect(decodeObject(boxAttributes, newState as DynamicValue, 'state')).toMatchObject({
        serial: null,
        color: 'red',
      });
    }
  });

  test('metadata and schema name the same things', async () => {
    const metadata = await handlers.GetMetadata({}, call);
    const schema = await handlers.GetProviderSchema({}, call);
    expect(metadata.resources?.map(({ typeName }) => typeName)).toEqual(Object.keys(schema.resourceSchemas ?? {}));
    expect(metadata.functions?.map(({ name }) => name)).toEqual(Object.keys(schema.functions ?? {}));
    expect(schema.serverCapabilities).toMatchObject({ planDestroy: true, getProviderSchemaOptional: true });
    expect(await handlers.GetFunctions({}, call)).toEqual({ functions: schema.functions });
  });

  test('an argument without bytes is null, as OpenTofu means it', async () => {
    const id = { msgpack: encodeValue('one/left', 'string'), json: none };
    const called = await handlers.CallFunction(
      { name: 'split_id', arguments: [id, { msgpack: none, json: none }] },
      call,
    );
    expect(called.error).toBeUndefined();
    const result = decodeValue(called.result?.msgpack ?? none, ['object', { box: 'string', side: 'string' }]);
    expect(result).toEqual({ box: 'one', side: 'left' });
  });

  test('what is unknown or cannot be read is a diagnostic, never a failed RPC', async () => {
    const unknown = await handlers.ReadResource({ typeName: 'toy_lid', private: none }, call);
    expect(unknown.diagnostics).toMatchObject([{ summary: 'Unknown resource' }]);
    const garbage = { msgpack: new Uint8Array([0xc1]), json: none };
    const read = await handlers.ReadResource({ typeName: 'toy_box', currentState: garbage, private: none }, call);
    expect(read.diagnostics).toMatchObject([{ severity: 'ERROR' }]);
    const called = await handlers.CallFunction({ name: 'nothing', arguments: [] }, call);
    expect(called.error?.text).toContain('no function nothing');
  });

  test('a state is not moved from another kind of resource, and says what to do instead', async () => {
    const { diagnostics } = await handlers.MoveResourceState(
      {
        sourceProviderAddress: 'x/y/z',
        sourceTypeName: 'helm_release',
        sourceSchemaVersion: 0,
        targetTypeName: 'toy_box',
        sourcePrivate: none,
      },
      call,
    );
    expect(diagnostics?.[0]?.detail).toContain('`import` block');
  });

  test('an older Terraform is told what write-only attributes need', async () => {
    const config = wire(boxAttributes, { name: 'one', key_wo: 'k' });
    const { diagnostics } = await handlers.ValidateResourceConfig({ typeName: 'toy_box', config }, call);
    expect(diagnostics).toMatchObject([{ summary: 'Write-only attribute not supported' }]);
    const clientCapabilities = { deferralAllowed: false, writeOnlyAttributesAllowed: true };
    expect(await handlers.ValidateResourceConfig({ typeName: 'toy_box', config, clientCapabilities }, call)).toEqual({
      diagnostics: [],
    });
  });
});

describe('a resource with bugs', () => {
  const attributes = {
    name: { type: 'string', required: true, doc: 'N.' },
    id: { type: 'string', computed: true, doc: 'I.' },
    other: { type: 'number', computed: true, doc: 'O.' },
  } as const satisfies Attributes;

  function buggy(overrides: object): ProviderService['handlers'] {
    const resource: ResourceType<unknown> = defineResource({
      name: 'toy_bug',
      doc: 'B.',
      version: 0,
      attributes,
      create: async ({ planned }) => ({ state: { ...planned, id: 'made', other: 'no number' as unknown as number } }),
      read: async ({ state }) => ({ state: { ...state, id: UNKNOWN } }),
      update: async ({ planned }) => ({ state: planned }),
      delete: async () => {},
      ...overrides,
    });
    return serve({ ...toy, resources: [resource] }).handlers;
  }

  const prior = { name: 'n', id: 'i', other: 1 };
  const planRequest = {
    typeName: 'toy_bug',
    priorState: wire(attributes, prior),
    proposedNewState: wire(attributes, prior),
    config: wire(attributes, { name: 'n' }),
    priorPrivate: none,
  };

  test('that returns an impossible value loses this value and nothing else', async () => {
    const { newState, diagnostics } = await buggy({}).ApplyResourceChange(
      {
        typeName: 'toy_bug',
        priorState: wire(attributes, null),
        plannedState: wire(attributes, { name: 'n', id: UNKNOWN, other: UNKNOWN }),
        config: wire(attributes, { name: 'n' }),
        plannedPrivate: none,
      },
      call,
    );
    expect(decodeObject(attributes, newState as DynamicValue, 'state')).toEqual({ name: 'n', id: 'made', other: null });
    expect(diagnostics).toMatchObject([{ summary: 'The provider made a value of the wrong type' }]);
  });

  test('that reads something unknown leaves the state as it was', async () => {
    const currentState = wire(attributes, prior);
    const read = await buggy({}).ReadResource({ typeName: 'toy_bug', currentState, private: none }, call);
    expect(read).toMatchObject({
      newState: currentState,
      diagnostics: [{ summary: 'The provider left a value unknown' }],
    });
  });

  test.each([
    ['changes what the user set', { values: { name: 'other' } }],
    ['names what is no attribute', { values: { nam: 'n' } }],
  ])('whose plan %s plans nothing', async (_, change) => {
    const planned = await buggy({ plan: () => change }).PlanResourceChange(planRequest, call);
    expect(planned.plannedState).toBeUndefined();
    expect(planned.diagnostics).toMatchObject([{ summary: 'Bug of the provider: could not plan toy_bug' }]);
  });

  test('whose plan leaves a value as it was, because the user now writes the same otherwise, may do so', async () => {
    const request = { ...planRequest, config: wire(attributes, { name: 'N' }) };
    const planned = await buggy({ plan: () => ({ values: { name: 'n' } }) }).PlanResourceChange(request, call);
    expect(planned.diagnostics).toEqual([]);
    expect(decodeObject(attributes, planned.plannedState as DynamicValue, 'plan')).toEqual(prior);
  });

  test('whose plan replaces for what has not changed replaces nothing', async () => {
    const change = { replace: [{ path: ['name'], why: 'so' }] };
    const planned = await buggy({ plan: () => change }).PlanResourceChange(planRequest, call);
    expect(planned).toMatchObject({ requiresReplace: [], diagnostics: [] });
  });

  test.each<[string, (given: DeleteCall<Attributes, unknown>) => void, ValueRecord]>([
    ['its state', () => undefined, prior],
    ['how far it came', ({ checkpoint }) => checkpoint({ ...prior, other: 2 }), { ...prior, other: 2 }],
  ])('that fails to delete keeps %s', async (_, before, kept) => {
    const failing = buggy({
      delete: async (given: DeleteCall<Attributes, unknown>) => {
        before(given);
        return [failure('Still there', 'Wait.')];
      },
    });
    const { newState } = await failing.ApplyResourceChange(
      {
        typeName: 'toy_bug',
        priorState: wire(attributes, prior),
        plannedState: wire(attributes, null),
        config: wire(attributes, null),
        plannedPrivate: none,
      },
      call,
    );
    expect(decodeObject(attributes, newState as DynamicValue, 'state')).toEqual(kept);
  });
});
