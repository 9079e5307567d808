/**
 * What is wrong with declarations: rules of Terraform that types cannot express. Terraform itself would only say so, in words
 * for us, when somebody uses the provider; here a test does, once.
 */
import type { Attribute, Attributes } from './attributes.ts';
import type { ProviderType } from './define-provider.ts';
import { isComputed, nestedOf } from './schema.ts';
import { validate } from './validate.ts';

const reserved = ['connection', 'count', 'depends_on', 'for_each', 'lifecycle', 'provider', 'provisioner'];

interface Place {
  readonly where: string;
  readonly inSet?: boolean;
  readonly writeOnlyAllowed: boolean;
}

/** Everything that is wrong with a provider's declarations; empty when Terraform would take it. Pure. */
export function mistakesIn(provider: ProviderType): readonly string[] {
  const stored = provider.resources.flatMap(({ name, definition }) => [
    ...named(name, provider),
    ...mistakesOf(definition.attributes, { where: name, writeOnlyAllowed: true }),
    ...Array.from({ length: definition.version }, (_, from) => from)
      .filter((from) => definition.upgrades?.[from] === undefined)
      .map((from) => `${name}: version ${String(definition.version)} needs an upgrade from ${String(from)}`),
  ]);
  const others = [...provider.dataSources, ...provider.ephemerals].flatMap(({ name, definition }) => [
    ...named(name, provider),
    ...mistakesOf(definition.attributes, { where: name, writeOnlyAllowed: false }),
  ]);
  const own = mistakesOf(provider.attributes, { where: `provider ${provider.name}`, writeOnlyAllowed: false });
  return [...own, ...stored, ...others];
}

function named(name: string, provider: ProviderType): string[] {
  return name.startsWith(`${provider.name}_`) ? [] : [`${name}: does not begin with ${provider.name}_`];
}

function mistakesOf(attributes: Attributes, place: Place): string[] {
  return Object.entries(attributes).flatMap(([name, attribute]) => {
    const where = `${place.where}.${name}`;
    const inner = nestedOf(attribute.type);
    const inSet = place.inSet === true || inner?.nested === 'set';
    return [
      ...rules.filter(({ broken }) => broken(attribute, place, name)).map(({ text }) => `${where}: ${text}`),
      ...badDefault(name, attribute).map((text) => `${where}: ${text}`),
      ...(inner === undefined ? [] : mistakesOf(inner.attributes, { ...place, where, inSet })),
    ];
  });
}

interface Rule {
  readonly text: string;
  readonly broken: (attribute: Attribute, place: Place, name: string) => boolean;
}

const rules: readonly Rule[] = [
  { text: 'not a name that Terraform takes', broken: (_, __, name) => !/^[a-z_][a-z0-9_]*$/.test(name) },
  { text: 'a word that Terraform keeps for itself', broken: (_, __, name) => reserved.includes(name) },
  { text: 'has no doc', broken: ({ doc }) => doc.trim() === '' },
  {
    text: 'is neither required, nor optional, nor computed',
    broken: ({ required, optional, computed }) => !required && !optional && !computed,
  },
  {
    text: 'is required, so it cannot be optional, computed or have a default',
    broken: ({ required, optional, computed, default: preset }) =>
      required === true && (optional === true || computed === true || preset !== undefined),
  },
  {
    text: 'has a default, so it must be optional',
    broken: ({ optional, default: preset }) => preset !== undefined && !optional,
  },
  {
    text: 'is write-only, so it cannot be computed, have a default, or be anywhere but in a resource',
    broken: (attribute, { writeOnlyAllowed }) =>
      attribute.writeOnly === true && (isComputed(attribute) || !writeOnlyAllowed),
  },
  {
    text: 'is inside a set, so it cannot be computed, have a default or be write-only',
    broken: (attribute, { inSet }) => inSet === true && (isComputed(attribute) || attribute.writeOnly === true),
  },
];

function badDefault(name: string, attribute: Attribute): readonly string[] {
  if (attribute.default === undefined) return [];
  const found = validate({ [name]: { ...attribute, doc: name } }, { [name]: attribute.default });
  return found.filter(({ severity }) => severity === 'error').map(({ detail }) => `its default is refused: ${detail}`);
}
