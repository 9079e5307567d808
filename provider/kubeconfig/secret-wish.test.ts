import { describe, expect, test } from 'vitest';
import { parseKubeconfig } from '../../operations/parse-kubeconfig.ts';
import { ageDrift, contentDigest, decoded, encoded, grantOf, metadataDrift, secretContent } from './secret-wish.ts';
import type { SecretWish } from './secret-wish.ts';

const wish: SecretWish = {
  cluster: { namespace: 'ns', name: 'team-a' },
  place: { namespace: 'ci', name: 'team-a' },
  format: 'kubeconfig',
  key: 'config',
  labels: { a: 'b' },
  annotations: {},
  account: { namespace: 'kube-system', name: 'ci' },
  createAccount: true,
  role: { kind: 'ClusterRole', name: 'edit', namespace: undefined },
  expirationSeconds: 600,
  server: undefined,
  serverName: undefined,
};
const access = { endpoint: 'https://team-a.ns:443', ca: 'CA', token: 'T' };

describe('secretContent()', () => {
  test('a kubeconfig leads where the virtual cluster says that it is, unless told otherwise', () => {
    const { config = '' } = secretContent(wish, access);
    expect(parseKubeconfig(config)).toMatchObject({ server: 'https://team-a.ns:443', token: 'T' });
    const { other = '' } = secretContent({ ...wish, key: 'other', server: 'https://x', serverName: 'y' }, access);
    expect(parseKubeconfig(other)).toMatchObject({ server: 'https://x', serverName: 'y' });
  });

  test('as Argo CD wants it', () => {
    const content = secretContent({ ...wish, format: 'argocd' }, access);
    expect(content).toMatchObject({ name: 'team-a', server: 'https://team-a.ns:443' });
    expect(JSON.parse(content['config'] ?? '')).toEqual({ bearerToken: 'T', tlsClientConfig: { caData: 'Q0E=' } });
  });
});

test('contentDigest() knows an edit, not an order; nothing is the same under another salt', () => {
  const content = { a: '1', b: '2' };
  expect(contentDigest({ b: '2', a: '1' }, 's')).toBe(contentDigest(content, 's'));
  expect(contentDigest({ ...content, b: '3' }, 's')).not.toBe(contentDigest(content, 's'));
  expect(contentDigest(content, 't')).not.toBe(contentDigest(content, 's'));
  expect(decoded({ data: encoded(content) })).toEqual(content);
});

test('grantOf() has a name of its own for each Secret, however names are joined', () => {
  const name = (namespace: string, secret: string): string | undefined =>
    grantOf({ ...wish, place: { namespace, name: secret } })?.name;
  expect(name('a', 'b')).toMatch(/^kubeconfig-b-[0-9a-f]{10}$/);
  expect(name('a', 'b')).not.toBe(name('c', 'b'));
  expect(name('a', 'x'.repeat(253))?.length).toBeLessThanOrEqual(63);
  expect(grantOf({ ...wish, role: undefined })).toBeUndefined();
});

test('metadataDrift() minds what we have set and nothing else', () => {
  const ours = { 'cdktf-vcluster/kubeconfig-of': 'ns/team-a' };
  const metadata = { name: 'x', labels: { a: 'b', more: 'of others' }, annotations: { ...ours, more: 'of others' } };
  expect(metadataDrift(wish, { metadata })).toEqual([]);
  expect(metadataDrift(wish, { metadata: { ...metadata, labels: { a: 'c' } } })).toEqual(['label a: "b" → "c"']);
  expect(metadataDrift(wish, { metadata: { ...metadata, labels: {} } })).toEqual(['label a: "b" → gone']);
});

describe('ageDrift()', () => {
  const at = (hour: number): Date => new Date(Date.UTC(2026, 0, 1, hour));

  test.each([
    [0, undefined],
    [14, undefined],
    [17, "less than a third of the token's life is left: it ends at 2026-01-02T00:00:00.000Z"],
    [24, 'the token ended at 2026-01-02T00:00:00.000Z'],
  ])('after %d of 24 hours', (hours, line) => {
    expect(ageDrift(at(0), at(24), at(hours))).toBe(line);
  });
});
