import { describe, expect, test } from 'vitest';
import { release } from '../../../test/support/release.ts';
import { inTenantsWords } from './status-words.ts';

const pod = { name: 'web-0', namespace: 'shop' };

function said(message: string): unknown {
  const status = {
    conditions: [{ type: 'PodScheduled', status: 'False', message }],
    containerStatuses: [{ name: 'c', state: { waiting: { reason: 'x', message } } }],
    message,
  };
  const { conditions, containerStatuses, message: whole } = inTenantsWords(status, pod, release) as typeof status;
  expect(conditions[0]?.message).toBe(whole);
  expect(containerStatuses[0]?.state.waiting.message).toBe(whole);
  return whole;
}

describe('inTenantsWords()', () => {
  test.each([
    [
      '0/1 nodes are available: persistentvolumeclaim "data-web-0-x-shop-x-vc1" not found',
      '0/1 nodes are available: persistentvolumeclaim "data-web-0" not found',
    ],
    ['configmap "settings-x-shop-x-vc1" not found', 'configmap "settings" not found'],
    [
      'binding: Post "https://10.96.0.1:443/api/v1/namespaces/tenant-a/pods/web-0-x-shop-x-vc1/binding": refused',
      'binding: Post "the host": refused',
    ],
    ['pods "web-0-x-shop-x-vc1" in tenant-a', 'pods "web-0" in shop'],
    ['pull https://registry.example/v2/x: not found', 'pull https://registry.example/v2/x: not found'],
  ])('%s [I7]', (message, expected) => {
    expect(said(message)).toBe(expected);
  });
});
