/** Pages of the reference, and mistakes in declarations. */
import { describe, expect, test } from 'vitest';
import { toy } from '../../test/provider/toy.ts';
import { nested, type Attributes } from './attributes.ts';
import { referencePages } from './docs.ts';
import type { ProviderType } from './define-provider.ts';
import { mistakesIn } from './mistakes.ts';

describe('referencePages()', () => {
  const pages = new Map(referencePages(toy).map(({ path, text }) => [path, text]));

  test('gives each thing a page where the registry looks for it', () => {
    expect([...pages.keys()]).toEqual([
      'index.md',
      'resources/box.md',
      'data-sources/box.md',
      'ephemeral-resources/view.md',
      'functions/split_id.md',
    ]);
  });

  test('says of each attribute what it is, by name, and links nested ones', () => {
    const page = pages.get('resources/box.md') ?? '';
    expect(page).toMatch(/^---\npage_title: "toy_box Resource - toy"\nsubcategory: ""\ndescription: "A box."\n---\n/);
    expect(page).toContain('- `name` (String) Name of the box. A change replaces the object: a box cannot be renamed.');
    expect(page).toContain('- `key_wo` (String, Sensitive, Write-only) Key, never stored.');
    expect(page).toContain('- `color` (String) Color. Default: `"red"`.');
    expect(page).toContain('(see [below](#nestedatt--lid--hinges))');
    expect(page).toContain('<a id="nestedatt--lid--hinges"></a>\n### Nested Schema for `lid.hinges`');
    expect(page).toContain("terraform import toy_box.example 'name'");
    expect(page.indexOf('### Required')).toBeLessThan(page.indexOf('### Optional'));
  });

  test('writes the signature of a function', () => {
    const page = pages.get('functions/split_id.md') ?? '';
    expect(page).toContain('split_id(id string, side string) object({box = string, side = string})');
    expect(page).toContain('2. `side` (String, nullable) The side');
  });
});

describe('mistakesIn()', () => {
  const withAttributes = (attributes: Attributes): ProviderType => {
    const [box] = toy.resources;
    if (box === undefined) throw new Error('The toy has no resource.');
    return { ...toy, resources: [{ ...box, definition: { ...box.definition, attributes } }] };
  };
  const leaf = { type: 'string', optional: true, doc: 'D.' } as const;

  test('finds none in the toy', () => {
    expect(mistakesIn(toy)).toEqual([]);
  });

  test.each<[string, Attributes]>([
    ['toy_box.Bad: not a name', { Bad: leaf }],
    ['toy_box.count: a word that Terraform keeps', { count: leaf }],
    ['toy_box.a: has no doc', { a: { ...leaf, doc: '' } }],
    ['toy_box.a: is neither required', { a: { type: 'string', doc: 'D.' } }],
    ['toy_box.a: is required, so', { a: { ...leaf, required: true } }],
    ['toy_box.a: has a default, so', { a: { type: 'string', computed: true, default: 'x', doc: 'D.' } }],
    ['toy_box.a: is write-only, so', { a: { ...leaf, writeOnly: true, computed: true } }],
    ['toy_box.a.b: is inside a set', { a: { ...leaf, type: nested('set', { b: { ...leaf, computed: true } }) } }],
    ['toy_box.a: its default is refused: no', { a: { ...leaf, default: 'x', check: () => [no] } }],
  ])('finds: %s', (words, attributes) => {
    expect(mistakesIn(withAttributes(attributes)).join('\n')).toContain(words);
  });

  const no = { severity: 'error', summary: 'No', detail: 'no' } as const;
});
