import { expect, test } from 'vitest';
import { explain, Story } from './steps.ts';

function told(): { story: Story; text: () => string } {
  const written: string[] = [];
  return { story: new Story(2, (text) => written.push(text)), text: () => written.join('') };
}

test('Story numbers its steps, indents notes and gives back results', async () => {
  const { story, text } = told();
  const result = await story.step('First', () => {
    story.note('one\ntwo');
    return Promise.resolve(7);
  });
  expect(result).toBe(7);
  expect(text()).toMatch(/^\n\[1\/2\] First\n {6}one\n {6}two\n {6}done in \d+\.\d s\n$/);
});

test('Story.show prints a command and its output as they are', () => {
  const { story, text } = told();
  story.show('kubectl get pods', 'NAME\nweb\n');
  expect(text()).toBe('      $ kubectl get pods\n      NAME\n      web\n');
});

test('Story.ending lines commands up below what they do', () => {
  const { story, text } = told();
  story.ending('On:', { look: ['a', 'b'], remove: ['c'] });
  expect(text()).toBe('\nOn:\n  look    a\n          b\n  remove  c\n');
});

test('explain() tells the step and every cause', async () => {
  const { story } = told();
  const failed = await story
    .step('First', () => Promise.reject(new Error('no cluster', { cause: new Error('refused') })))
    .catch((error: unknown) => error);
  expect(explain(failed)).toBe('step 1/2, First\nno cluster\nrefused');
});
