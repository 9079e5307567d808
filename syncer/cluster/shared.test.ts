import { anything, assert, property } from 'fast-check';
import { expect, test } from 'vitest';
import { shared } from './shared.ts';

test('shared() changes no content, whatever the keys are called', () => {
  assert(
    property(anything({ withNullPrototype: false }), (value) => {
      const text = JSON.stringify({ value });
      expect(JSON.stringify(shared(JSON.parse(text) as object))).toBe(text);
    }),
  );
  for (const inner of ['{"a":"a text that is long"}', '"a text that is long"']) {
    const hostile = `{"__proto__":${inner},"constructor":"another text that is long"}`;
    const object = shared(JSON.parse(hostile) as object);
    expect(JSON.stringify(object)).toBe(hostile);
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  }
});
