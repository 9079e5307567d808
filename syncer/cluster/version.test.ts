import { expect, test } from 'vitest';
import { isNewer, isOlder } from './version.ts';

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

test.each([
  ['9', '10', true],
  ['10', '9', false],
  ['7', '7', false],
  ['', '7', false],
  ['7', '', false],
  ['abc', '5', false],
  ['5', 'abc', false],
])('isOlder(%s, %s) says so only of numbers: %s [benchmarks 3.9]', (version, than, expected) => {
  expect(isOlder(version, than)).toBe(expected);
});
