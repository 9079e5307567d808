import { expect, test } from 'vitest';
import { samples } from './index.ts';

test.each([...samples])(
  'resource %s has a sample for the conformance suite, or a reason to have none',
  (name, sample) => {
    const told = `Add test/samples/${name}.ts with its sample, or to test/samples/index.ts why there is none`;
    expect(sample, told).toBeDefined();
  },
);
