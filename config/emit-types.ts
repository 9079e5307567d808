/**
 * Turns the declared options into the interface `Values`, so that an editor shows what an option is and what it is when nothing is said.
 * The same type could be derived (`ValuesOf`), but without a word about any option. Pure; the emitted file is committed.
 */
import { docOf, isOption } from './option.ts';
import type { Option, OptionTree, OptionType } from './option.ts';

/** The whole module. */
export function valuesModule(tree: OptionTree): string {
  return [
    '/** Every option as a type. Generated from config/options.ts by `npm run generate`; do not edit. */',
    "import type { Quantity, Reference, Resources, Toleration } from './option.ts';",
    '',
    '/** What a user may write in values.yaml, or pass to a construct. */',
    'export interface Values {',
    ...members(tree, '  '),
    '}',
    '',
  ].join('\n');
}

function members(tree: OptionTree, indent: string): readonly string[] {
  return Object.entries(tree).flatMap(([key, node]) =>
    isOption(node)
      ? [...comment(node, indent), `${indent}readonly ${key}?: ${typeText(node)};`]
      : [`${indent}readonly ${key}?: {`, ...members(node, `${indent}  `), `${indent}};`],
  );
}

function comment(option: Option, indent: string): readonly string[] {
  const lines = ['/**', ` * ${docOf(option)}`, ` * @default ${code(option.default)}`, ' */'];
  // The end of a comment may stand in a text, as in `**/*`.
  return lines.map((line, index) => `${indent}${index === 0 || index === 3 ? line : line.replaceAll('*/', '*\\/')}`);
}

const types: Readonly<Record<OptionType, string>> = {
  string: 'string',
  version: 'string',
  boolean: 'boolean',
  quantity: 'Quantity',
  strings: 'readonly string[]',
  stringMap: 'Readonly<Record<string, string>>',
  resources: 'Resources',
  tolerations: 'readonly Toleration[]',
  references: 'readonly Reference[]',
};

function typeText({ type, values }: Option): string {
  return values === undefined ? types[type] : values.map(code).join(' | ');
}

/** A value as this project writes it in TypeScript. */
function code(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
