/**
 * The reference of a provider as Markdown, a page for each thing it offers, in the layout and form of Terraform's registry.
 *
 * Everything stands in the declarations; these pages are written by nobody. Pure.
 */
import type { Attribute, Attributes, NestedType, Type } from './attributes.ts';
import type { ProviderType } from './define-provider.ts';
import type { FunctionType, Parameter } from './function.ts';
import { caseOf, nestedOf } from './schema.ts';

export interface Page {
  /** Below the folder of the reference, such as `resources/cluster.md`. */
  readonly path: string;
  readonly text: string;
}

/** All pages of a provider. */
export function referencePages(provider: ProviderType): readonly Page[] {
  const kinds = [
    { folder: 'resources', kind: 'Resource', types: provider.resources },
    { folder: 'data-sources', kind: 'Data Source', types: provider.dataSources },
    { folder: 'ephemeral-resources', kind: 'Ephemeral Resource', types: provider.ephemerals },
  ] as const;
  const pages = kinds.flatMap(({ folder, kind, types }) =>
    types.map(({ definition }) => ({
      path: `${folder}/${shortName(definition.name, provider)}.md`,
      text: page({ provider: provider.name, title: definition.name, kind, ...definition }),
    })),
  );
  const index = page({
    provider: provider.name,
    title: `${provider.name} Provider`,
    kind: undefined,
    doc: provider.doc,
    example: provider.example,
    attributes: provider.attributes,
  });
  return [{ path: 'index.md', text: index }, ...pages, ...provider.functions.map((one) => functionPage(one, provider))];
}

interface Content {
  readonly provider: string;
  readonly title: string;
  readonly kind: string | undefined;
  readonly doc: string;
  readonly example?: string | undefined;
  readonly attributes: Attributes;
  readonly importId?: string | undefined;
}

function page({ provider, title, kind, doc, example, attributes, importId }: Content): string {
  const heading = kind === undefined ? title : `${title} (${kind})`;
  return joined([
    frontMatter({ title: kind === undefined ? title : `${title} ${kind} - ${provider}`, description: doc }),
    `# ${heading}`,
    doc,
    ...exampleOf(example),
    '## Schema',
    ...objectSections(attributes, '###'),
    ...nestedSections(attributes, []),
    ...importOf(title, importId),
  ]);
}

function functionPage({ definition }: FunctionType, provider: ProviderType): Page {
  const { name, summary, doc, example, parameters, returns } = definition;
  const signature = parameters.map((parameter) => `${parameter.name} ${typeText(parameter.type)}`).join(', ');
  const text = joined([
    frontMatter({ title: `${name} function - ${provider.name}`, description: summary }),
    `# function: ${name}`,
    doc,
    ...exampleOf(example),
    '## Signature',
    `\`\`\`text\n${name}(${signature}) ${typeText(returns)}\n\`\`\``,
    '## Arguments',
    parameters.map(parameterLine).join('\n'),
  ]);
  return { path: `functions/${name}.md`, text };
}

function parameterLine({ name, type, doc, nullable }: Parameter, index: number): string {
  return `${String(index + 1)}. \`${name}\` (${typeName(type)}${nullable ? ', nullable' : ''}) ${doc}`;
}

function frontMatter({ title, description }: { readonly title: string; readonly description: string }): string {
  // The first paragraph, without what only Markdown needs.
  const [first = ''] = description.split('\n\n');
  const plain = first.replace(/\s+/g, ' ').replace(/`/g, '');
  return `---\npage_title: ${JSON.stringify(title)}\nsubcategory: ""\ndescription: ${JSON.stringify(plain)}\n---`;
}

function exampleOf(example: string | undefined): readonly string[] {
  return example === undefined ? [] : ['## Example Usage', `\`\`\`terraform\n${example.trim()}\n\`\`\``];
}

function importOf(name: string, id: string | undefined): readonly string[] {
  if (id === undefined) return [];
  return [
    '## Import',
    `The id is \`${id}\`.`,
    `\`\`\`terraform\nimport {\n  to = ${name}.example\n  id = "${id}"\n}\n\`\`\``,
    `\`\`\`sh\nterraform import ${name}.example '${id}'\n\`\`\``,
  ];
}

type Role = 'Required' | 'Optional' | 'Read-Only';

function roleOf({ required, optional }: Attribute): Role {
  if (required) return 'Required';
  return optional ? 'Optional' : 'Read-Only';
}

/** The attributes of one object, in groups, by name. */
function objectSections(attributes: Attributes, heading: string, path: readonly string[] = []): readonly string[] {
  return (['Required', 'Optional', 'Read-Only'] as const).flatMap((role) => {
    const names = Object.keys(attributes)
      .filter((name) => roleOf(attributes[name] ?? never()) === role)
      .toSorted();
    if (names.length === 0) return [];
    return [
      `${heading} ${role}`,
      names.map((name) => attributeLine(name, attributes[name] ?? never(), path)).join('\n'),
    ];
  });
}

function attributeLine(name: string, attribute: Attribute, path: readonly string[]): string {
  const marks = [
    nestedOf(attribute.type) === undefined ? typeName(attribute.type) : 'Attributes' + manyMark(attribute.type),
    ...(attribute.sensitive ? ['Sensitive'] : []),
    ...(attribute.writeOnly ? ['Write-only'] : []),
    ...(attribute.deprecated === undefined ? [] : ['Deprecated']),
  ];
  const words = [
    attribute.doc.trim(),
    ...(attribute.default === undefined ? [] : [`Default: \`${JSON.stringify(attribute.default)}\`.`]),
    ...(attribute.replace === undefined ? [] : [`A change replaces the object: ${attribute.replace}.`]),
    ...(attribute.deprecated === undefined ? [] : [attribute.deprecated]),
    ...(nestedOf(attribute.type) === undefined ? [] : [`(see [below](#${anchor([...path, name])}))`]),
  ];
  return `- \`${name}\` (${marks.join(', ')}) ${words.join(' ')}`;
}

/** A section for each nested object, in the order of a reader who goes on at the first link. */
function nestedSections(attributes: Attributes, path: readonly string[]): readonly string[] {
  return Object.keys(attributes)
    .toSorted()
    .flatMap((name) => {
      const inner = nestedOf(attributes[name]?.type ?? 'string');
      if (inner === undefined) return [];
      const here = [...path, name];
      return [
        `<a id="${anchor(here)}"></a>\n### Nested Schema for \`${here.join('.')}\``,
        ...objectSections(inner.attributes, '####', here),
        ...nestedSections(inner.attributes, here),
      ];
    });
}

function anchor(path: readonly string[]): string {
  return `nestedatt--${path.join('--')}`;
}

function manyMark(type: Type): string {
  const mode: NestedType['nested'] | undefined = nestedOf(type)?.nested;
  const words = { single: '', list: ' List', map: ' Map', set: ' Set' } as const;
  return mode === undefined ? '' : words[mode];
}

/** A type as people read it. */
function typeName(type: Type): string {
  const kind = caseOf(type);
  switch (kind.is) {
    case 'primitive':
      return { string: 'String', bool: 'Boolean', number: 'Number' }[kind.type];
    case 'dynamic':
      return 'Dynamic';
    case 'collection':
      return `${{ list: 'List', set: 'Set', map: 'Map' }[kind.type.collection]} of ${typeName(kind.type.of)}`;
    case 'object':
    case 'nested':
      return 'Object';
    default:
      return kind satisfies never;
  }
}

/** A type as Terraform's language writes it. */
function typeText(type: Type): string {
  const kind = caseOf(type);
  switch (kind.is) {
    case 'primitive':
      return kind.type;
    case 'dynamic':
      return 'dynamic';
    case 'collection':
      return `${kind.type.collection}(${kind.type.of})`;
    case 'object':
      return objectText(Object.entries(kind.type.object));
    case 'nested': {
      const members = Object.entries(kind.type.attributes).map(([name, attribute]) => [name, attribute.type] as const);
      return kind.type.nested === 'single' ? objectText(members) : `${kind.type.nested}(${objectText(members)})`;
    }
    default:
      return kind satisfies never;
  }
}

function objectText(members: readonly (readonly [string, Type])[]): string {
  return `object({${members.map(([name, type]) => `${name} = ${typeText(type)}`).join(', ')}})`;
}

function shortName(name: string, provider: ProviderType): string {
  return name.slice(provider.name.length + 1);
}

function joined(blocks: readonly string[]): string {
  return `${blocks.map((block) => block.trim()).join('\n\n')}\n`;
}

function never(): never {
  throw new Error('An attribute has no declaration.');
}
