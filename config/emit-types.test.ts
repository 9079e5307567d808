/** The emitted type says what the declaration says. */
import { expect, expectTypeOf, test } from 'vitest';
import { valuesModule } from './emit-types.ts';
import type { Option, ValuesOf } from './option.ts';
import type { options } from './options.ts';
import type { Values } from './values.ts';

test('Values is the type that follows from the declared options', () => {
  expectTypeOf<Values>().toEqualTypeOf<ValuesOf<typeof options>>();
});

test('an option has its doc, its default and its type; a branch has its options', () => {
  const level: Option = {
    type: 'string',
    default: 'a',
    values: ['a', 'b'],
    doc: 'How much.',
    fixed: 'it is cast in stone',
  };
  const size: Option = { type: 'quantity', default: 5, doc: 'Ends no comment: */.' };
  const text = valuesModule({ logging: { level, size } });
  expect(text.slice(text.indexOf('export'))).toBe(`export interface Values {
  readonly logging?: {
    /**
     * How much. Cannot be changed later: it is cast in stone.
     * @default 'a'
     */
    readonly level?: 'a' | 'b';
    /**
     * Ends no comment: *\\/.
     * @default 5
     */
    readonly size?: Quantity;
  };
}
`);
});
