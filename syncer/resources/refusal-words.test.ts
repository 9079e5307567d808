import { describe, expect, test } from 'vitest';
import { release } from '../../test/support/release.ts';
import { inVirtualWords } from './refusal-words.ts';

const web = { name: 'web', namespace: 'shop' };
const say = (message: string): string => inVirtualWords(message, web, release);

describe('inVirtualWords() [CORE-07, EV-07]', () => {
  test.each([
    [
      'POST /api/v1/namespaces/tenant-a/pods: pods "web-x-shop-x-vc1" is forbidden: exceeded quota: tight',
      'pods "web" is forbidden: exceeded quota: tight',
    ],
    ['Pod "web-x-shop-x-vc1" is invalid: secretName: "key-x-shop-x-vc1"', 'Pod "web" is invalid: secretName: "key"'],
    ['tenant-a/web-x-shop-x-vc1 in tenant-a, not in tenant-ab', 'shop/web in shop, not in tenant-ab'],
    ['failed calling "https://10.0.0.1:9443/check?x=1": timeout', 'failed calling "the host": timeout'],
  ])('%s', (message, expected) => {
    expect(say(message)).toBe(expected);
  });

  test('missing rights are told without the account that misses them [F45]', () => {
    const said = say(
      'POST /api/v1/namespaces/tenant-a/services: services is forbidden: User "system:serviceaccount:tenant-a:vc-vc1" cannot create resource "services" in API group "" in the namespace "tenant-a"',
    );
    expect(said).toContain('does not allow this virtual cluster to create services');
    expect(said).not.toMatch(/system:|tenant-a/u);
  });
});
