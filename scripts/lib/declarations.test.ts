import { describe, expect, test } from 'vitest';
import { constructsPage } from './constructs-page.ts';
import { bodyOf, declared, headOf, splitTypes } from './declarations.ts';

const file = `/** About this file. */
import type { A } from './a.ts';
/** A tenant's options; it isn't { closed. */
export interface Options<T = { a: 1 }> extends Base, Pick<T, 'a'> {
    /**
     * Its name.
     * @default - the tenant's id
     */
    readonly name?: string | undefined;
    readonly make?: (one: T) => void;
}
export declare function load(file: string): { readonly a: string };
export declare class Made {
    /** Makes it. */
    static of(options: Options): Made;
    private constructor();
}
`;

describe('declared()', () => {
  const [first, second, third, fourth] = declared(file);

  test('finds statements with the comment before them, whatever brackets and quotes a comment holds', () => {
    expect(declared(file)).toHaveLength(4);
    expect(first?.code).toBe("import type { A } from './a.ts';");
    expect(second?.doc).toBe("A tenant's options; it isn't { closed.");
    expect(third?.code).toBe('export declare function load(file: string): { readonly a: string };');
    expect(fourth?.code).toMatch(/^export declare class Made/);
  });

  test('finds members in the same way', () => {
    const members = declared(bodyOf(second?.code ?? ''));
    expect(members.map(({ code }) => code)).toEqual([
      'readonly name?: string | undefined;',
      'readonly make?: (one: T) => void;',
    ]);
    expect(members[0]?.doc).toBe("Its name.\n@default - the tenant's id");
  });

  test('headOf() stops at the body, not at a brace of a type', () => {
    expect(headOf(second?.code ?? '')).toBe("export interface Options<T = { a: 1 }> extends Base, Pick<T, 'a'> ");
  });
});

test('splitTypes() splits at commas outside of brackets', () => {
  expect(splitTypes("Base, Pick<T, 'a'>, { a: 1, b: 2 }")).toEqual(['Base', "Pick<T, 'a'>", '{ a: 1, b: 2 }']);
});

describe('constructsPage()', () => {
  const page = constructsPage(
    '# Title\n\nGuide.\n',
    new Map([
      ['index', "export { Made } from './a.ts';\nexport type { Options } from './a.ts';\n"],
      ['a', file],
    ]),
  );

  test('holds the guide and everything that is exported', () => {
    expect(page).toMatch(/^# Title\n\nGenerated from .*\n\nGuide\.\n/);
    expect(page).toContain('### Made');
    expect(page).toContain('**`static of(options: Options): Made`**\n\nMakes it.');
    expect(page).toContain("| `name?` | `string` | the tenant's id | Its name. |");
    expect(page).not.toContain('constructor');
    expect(page).not.toContain('### load');
  });

  test('shows all forms of a function, constructors of what can be made, and getters without words', () => {
    const code = `/** Reads it. */
export declare function read(file: string): string;
export declare function read(file: string, form: string): string;
declare class Hidden {
}
/** Is made. */
export declare class Made extends Hidden {
    constructor(id: string);
    get host(): string;
    readonly silent: string;
}
/** Is found. */
export declare class Found {
    constructor(id: string);
}
`;
    const index = "export { read, Made } from './b.ts';\nexport type { Found } from './b.ts';\n";
    const text = constructsPage(
      '# T',
      new Map([
        ['index', index],
        ['b', code],
      ]),
    );
    expect(text).toContain(
      'Reads it.\n\n```ts\nfunction read(file: string): string;\nfunction read(file: string, form',
    );
    expect(text).toContain('Is made.\n\n**`constructor(id: string)`**\n\n**`get host(): string`**\n\n### Found');
    expect(text).toMatch(/Is found\.\n$/);
  });

  test('is refused for an export that is nowhere declared', () => {
    const index = "export { Missing } from './b.ts';\n";
    expect(() => constructsPage('# T', new Map([['index', index]]))).toThrow(/exports Missing, which no declaration/);
  });
});
