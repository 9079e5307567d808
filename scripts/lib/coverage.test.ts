import { expect, test } from 'vitest';
import { cover, coveragePage, idsIn, stateOf, titlesIn } from './coverage.ts';
import type { RuleBook } from './coverage.ts';

const book: RuleBook = {
  groups: { ZZZ: 'Sleep' },
  elsewhere: ['ZZZ-09'],
  rules: {
    'ZZZ-01': { about: 'lies down' },
    'ZZZ-02': { about: 'snores', gap: 'partly: softly only' },
    'ZZZ-03': { about: 'wakes', gap: 'not yet: still asleep' },
    'ZZZ-04': { about: 'dreams', gap: 'falls away: no pillow' },
  },
};

function covered(...titles: readonly string[]): ReturnType<typeof cover> {
  return cover(
    book,
    titles.map((text) => ({ file: 'z.test.ts', text })),
  );
}

test('idsIn() finds rules in brackets, lists and ranges included, and nothing else', () => {
  expect(idsIn('a [ZZZ-01] b [ZZZ-08…10, D12] ZZZ-05 [1]')).toEqual(['ZZZ-01', 'ZZZ-08', 'ZZZ-09', 'ZZZ-10']);
});

test('titlesIn() reads rows of test.each, neither comments nor what is skipped', () => {
  const source = [
    "test('a [ZZZ-01]', f);",
    "  // 'b [ZZZ-02]'",
    '  ["it\'s c [ZZZ-03]", 1],',
    "f('plain');",
    "test.skip('d [ZZZ-04]', f);",
  ].join('\n');
  expect(titlesIn('z.test.ts', source).map(({ text }) => text)).toEqual(['a [ZZZ-01]', "it's c [ZZZ-03]"]);
});

test('cover() is content with a title or a reason for each rule', () => {
  expect(covered('x [ZZZ-01, ZZZ-02]', 'y [ZZZ-09] [YYY-77]').problems).toEqual([]);
});

test.each([
  ['a rule with neither test nor reason', ['x [ZZZ-02]'], /^ZZZ-01 .*no test names it/u],
  ['a part of which no test is there', ['x [ZZZ-01]'], /^ZZZ-02 .*no test names it/u],
  ['a reason that a test has made untrue', ['x [ZZZ-01…3]'], /^ZZZ-03 .*still asleep/u],
  ['a rule that does not exist', ['x [ZZZ-01, ZZZ-02, ZZZ-77]'], /names ZZZ-77, which is no rule/u],
])('cover() finds %s', (_, titles, expected) => {
  expect(covered(...titles).problems).toEqual([expect.stringMatching(expected)]);
});

test('coveragePage() counts, and links each test', () => {
  const page = coveragePage(book, covered('says it is `so` [ZZZ-01, ZZZ-02]'));
  expect(page).toContain('**4 rules: 1 tested, 1 tested in part, 1 not yet, 1 falls away.**');
  expect(page).toContain("- **ZZZ-01** lies down\n  - [z.test.ts](../z.test.ts): `says it is 'so'`");
  expect(page).toContain('- **ZZZ-03** wakes. _not yet: still asleep_');
  expect(stateOf({ about: '' }, false)).toBe('not yet');
});
