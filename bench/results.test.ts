import { expect, test } from 'vitest';
import { replaced } from './results.ts';

const text = '# Results\n\n## A\n\nold\n\n## B\n\nb\n';

test('replaced() puts a section in the place of its former self', () => {
  expect(replaced(text, 'A', '## A\n\nnew\n')).toBe('# Results\n\n## A\n\nnew\n\n## B\n\nb\n');
});

test('replaced() adds a new section at the end', () => {
  expect(replaced(text, 'C', '## C\n')).toBe('# Results\n\n## A\n\nold\n\n## B\n\nb\n\n## C\n');
  expect(replaced('# Results\n', 'C', '## C\n')).toBe('# Results\n\n## C\n');
});
