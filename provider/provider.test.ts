/** The provider's declarations, as Terraform would look at them. */
import { expect, test } from 'vitest';
import { mistakesIn } from './framework/mistakes.ts';
import { provider } from './provider.ts';

test('every declaration is one that Terraform takes', () => {
  expect(mistakesIn(provider)).toEqual([]);
});
