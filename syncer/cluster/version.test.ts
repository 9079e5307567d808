import { expect, test } from 'vitest';
import { isNewer } from './version.ts';

test.each([
  ['10', '9', true],
  ['9', '10', false],
  ['7', '7', false],
  ['18446744073709551616', '9223372036854775807', true],
  ['1000', '999', true],
  [undefined, '5', true],
  ['5', undefined, true],
  ['abc', '5', true],
])(
  'isNewer(%s, %s) compares numbers, and calls what it cannot compare newer: %s [CORE-19]',
  (version, than, expected) => {
    expect(isNewer(version, than)).toBe(expected);
  },
);
