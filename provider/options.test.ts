import { array, assert, boolean, constantFrom, dictionary, nat, property, record, string } from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributeName } from '../config/attribute-name.ts';
import { isOption, optionsOf, tolerationEffects, tolerationOperators } from '../config/option.ts';
import type { Option, OptionTree, OptionType } from '../config/option.ts';
import { options } from '../config/options.ts';
import type { Attributes } from './framework/attributes.ts';
import { UNKNOWN } from './framework/values.ts';
import type { Value } from './framework/values.ts';
import { attributePath, attributesOf, chartValues, emptyBranches, optionAttributes } from './options.ts';

const text = string({ unit: 'binary' });
const maps = dictionary(text, text);
const quantities = constantFrom('500m', '5Gi', '2');
const chartArbitraries: Readonly<Record<OptionType, Arbitrary<unknown>>> = {
  string: text,
  version: text,
  boolean: boolean(),
  quantity: quantities,
  strings: array(text),
  stringMap: maps,
  resources: record(
    { requests: dictionary(text, quantities), limits: dictionary(text, quantities) },
    { requiredKeys: [] },
  ),
  tolerations: array(
    record(
      {
        key: text,
        operator: constantFrom(...tolerationOperators),
        value: text,
        effect: constantFrom(...tolerationEffects),
        tolerationSeconds: nat(),
      },
      { requiredKeys: [] },
    ),
  ),
  references: array(record({ name: text })),
};

/** Any chart values in which no branch is empty: an empty branch says nothing and does not come back. */
function branch(tree: OptionTree): Arbitrary<Record<string, unknown>> {
  const members = Object.fromEntries(
    Object.entries(tree).map(([key, node]) => [key, isOption(node) ? chartArbitraries[node.type] : branch(node)]),
  );
  return record(members, { requiredKeys: [], noNullPrototype: true }).filter(
    (values) => Object.keys(values).length > 0,
  );
}

/** The attribute of an option. */
function reach(keys: readonly string[]): unknown {
  let attributes: Attributes = optionAttributes();
  for (const name of attributePath(keys.slice(0, -1))) {
    const type = attributes[name]?.type;
    if (typeof type !== 'object' || !('nested' in type)) return undefined;
    attributes = type.attributes;
  }
  return attributes[attributeName(keys.at(-1) ?? '')];
}

describe('optionAttributes()', () => {
  test.each([...optionsOf(options)])('reaches %s, with its documentation and default', (path, option) => {
    expect(reach(path.split('.'))).toMatchObject({
      optional: true,
      doc: expect.stringContaining(option.doc) as string,
    });
    expect(reach(path.split('.'))).toMatchObject({
      doc: expect.stringContaining(JSON.stringify(option.default)) as string,
    });
  });

  test('gives no two options of one branch the same name, and no name that Terraform does not take', () => {
    const walk = (tree: OptionTree): void => {
      const names = Object.keys(tree).map(attributeName);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      for (const node of Object.values(tree)) if (!isOption(node)) walk(node);
    };
    walk(options);
  });

  test('takes an option that is declared tomorrow', () => {
    const tomorrow: OptionTree = { a: { podCIDR: { type: 'strings', default: [], doc: 'Ranges.', values: ['x'] } } };
    expect(optionAttributes(tomorrow)).toMatchObject({
      a: { type: { nested: 'single', attributes: { pod_cidr: { type: { collection: 'list', of: 'string' } } } } },
    });
  });
});

describe('chartValues() and attributesOf()', () => {
  test('are inverse to each other for any values', () => {
    assert(
      property(branch(options), (values) => {
        const { attributes, rest } = attributesOf(values);
        expect(rest).toBeUndefined();
        expect(chartValues(attributes)).toEqual(values);
      }),
      { numRuns: 300 },
    );
  });

  test('name every attribute, with null where nothing is set', () => {
    const { attributes } = attributesOf({ logging: { level: 'debug' } });
    expect(Object.keys(attributes)).toEqual(Object.keys(options).map(attributeName));
    expect(attributes).toMatchObject({ logging: { level: 'debug' }, control_plane: null });
    expect(chartValues(attributes)).toEqual({ logging: { level: 'debug' } });
  });

  test('keep what attributes cannot say', () => {
    const values = {
      global: { x: 1 },
      logging: { level: null },
      sync: { toHost: { pods: { schedulerNames: 'one', priorityClassName: 'high' } } },
    };
    const { attributes, rest } = attributesOf(values);
    expect(rest).toEqual({
      global: { x: 1 },
      logging: { level: null },
      sync: { toHost: { pods: { schedulerNames: 'one' } } },
    });
    expect(chartValues(attributes)).toEqual({ sync: { toHost: { pods: { priorityClassName: 'high' } } } });
  });

  test('hand on what is unknown, where it is unknown', () => {
    const volume: Value = { enabled: null, size: UNKNOWN, storage_class: 'fast', retention_policy: null };
    const attributes: Value = {
      control_plane: { stateful_set: { persistence: { volume_claim: volume }, scheduling: UNKNOWN } },
    };
    expect(chartValues(attributes)).toEqual({
      controlPlane: {
        statefulSet: { persistence: { volumeClaim: { size: UNKNOWN, storageClass: 'fast' } }, scheduling: UNKNOWN },
      },
    });
  });

  test('turn a quantity that Helm kept as a number into text', () => {
    const { attributes } = attributesOf({ controlPlane: { syncer: { resources: { requests: { cpu: 2 } } } } });
    expect(chartValues(attributes)).toEqual({ controlPlane: { syncer: { resources: { requests: { cpu: '2' } } } } });
  });
});

describe('the checks', () => {
  const checked = (option: Option, value: Value): readonly unknown[] => {
    const { a } = optionAttributes({ a: option });
    return (a?.check?.(value, ['branch', 'a']) ?? []).map(({ detail, path }) => `${path?.join('.') ?? ''}: ${detail}`);
  };
  const declared = { default: '', doc: 'A.' } as const;

  test.each<[string, Option, Value, string]>([
    [
      'word',
      { ...declared, type: 'string', values: ['debug', 'info'] },
      'debig',
      'branch.a: branch.a must be one of "debug", "info", got: "debig". Did you mean "debug"?',
    ],
    ['form', { ...declared, type: 'strings', pattern: '^a+$' }, ['aa', 'b'], 'does not have the form of this option'],
    ['quantity', { ...declared, type: 'quantity' }, '5 GB', 'branch.a must be a quantity such as 500m or 5Gi'],
    ['resource', { ...declared, type: 'resources' }, { requests: { cpu: 'x' }, limits: null }, 'map of quantities'],
    ['version', { ...declared, type: 'version' }, '1.12', 'Kubernetes 1.12 is not supported'],
  ])('refuse a wrong %s', (_, option, value, words) => {
    expect(checked(option, value)).toEqual([expect.stringContaining(words)]);
  });

  test('accept every default', () => {
    for (const [, option] of optionsOf(options)) {
      const { attributes } = attributesOf({ a: option.default }, { a: option });
      expect(checked(option, attributes['a'] ?? null)).toEqual([]);
    }
  });

  test('leave alone what is not known yet', () => {
    expect(checked({ ...declared, type: 'strings', pattern: '^a$' }, [UNKNOWN])).toEqual([]);
  });
});

describe('emptyBranches()', () => {
  test('says what is known where nothing is set', () => {
    const sync = { to_host: null, from_host: { nodes: null } };
    const found = emptyBranches({ sync, policies: null, logging: UNKNOWN });
    expect(found.map(({ path, severity }) => [path, severity])).toEqual([[['sync', 'from_host'], 'warning']]);
    expect(found[0]?.detail).toContain('Known here: nodes.');
  });
});
