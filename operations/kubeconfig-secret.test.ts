/** The Secret that the syncer writes, read; and what is said about one that somebody else has written. */
import { beforeAll, describe, expect, test } from 'vitest';
import { createAuthority } from '../syncer/pki/certificates.ts';
import type { CertifiedKey } from '../syncer/pki/certificates.ts';
import { issueAdminKubeconfig } from '../syncer/pki/kubeconfig.ts';
import type { AdminKubeconfig } from '../syncer/pki/kubeconfig.ts';
import { published } from './kubeconfig-secret.ts';
import { kubeconfigText } from './kubeconfig-text.ts';
import type { KubeconfigParts } from './kubeconfig-text.ts';

const ref = { name: 'team-a', namespace: 'tenants' };
const now = new Date('2026-06-01T00:00:00Z');

let authority: CertifiedKey;
let own: AdminKubeconfig;
let other: AdminKubeconfig;

const dataOf = (config: string): Record<string, string> => ({ config: Buffer.from(config).toString('base64') });

/** The right one, but for some parts. */
function changed(parts: Partial<KubeconfigParts>): Record<string, string> {
  const right = { ...ref, server: 'https://x', ca: authority.certificate };
  const credentials = { certificate: own['client-certificate'], key: own['client-key'] };
  return dataOf(kubeconfigText({ ...right, ...credentials, ...parts }));
}

describe('published()', () => {
  beforeAll(async () => {
    authority = await createAuthority('team-a', now);
    own = await issueAdminKubeconfig({ ...ref, authority, now });
    other = await issueAdminKubeconfig({ ...ref, authority, now });
  });

  test('is what the virtual cluster has written, with its address on the host and its end', () => {
    expect(published(dataOf(own.config), ref, now)).toEqual({
      server: 'https://team-a.tenants:443',
      ca: authority.certificate,
      serverName: undefined,
      certificate: own['client-certificate'],
      key: own['client-key'],
      token: undefined,
      expires: new Date('2027-06-01T00:00:00Z'),
    });
  });

  test.each<[string, () => Record<string, string>, RegExp]>([
    ['nothing', () => ({}), /its key "config" is missing/],
    ['no address', () => changed({ server: 'team-a' }), /its server is no URL/],
    [
      'an address without TLS',
      () => changed({ server: 'http://team-a' }),
      /its server is no URL that begins with https/,
    ],
    ['no authority', () => changed({ ca: 'x' }), /its certificate authority is no certificate/],
    ['no credentials', () => changed({ key: undefined }), /it holds no credentials/],
    ['no certificate', () => changed({ certificate: 'x' }), /its client certificate is no certificate/],
    ['no key', () => changed({ key: 'x' }), /its client key is not the one/],
    ['the key of another', () => changed({ key: other['client-key'] }), /its client key is not the one/],
  ])('%s: refused at once, with the way out and without a value', (_what, data, why) => {
    const read = (): unknown => published(data(), ref, now);
    expect(read).toThrow(why);
    expect(read).toThrow('Secret tenants/vc-team-a');
    expect(read).toThrow('Delete the Secret');
    const lines = own['client-key'].split('\n').filter((line) => line.length > 40);
    expect(lines).not.toEqual([]);
    for (const line of lines) expect(read).not.toThrow(line);
  });

  test('a certificate that has ended', () => {
    const later = new Date('2027-06-02T00:00:00Z');
    expect(() => published(dataOf(own.config), ref, later)).toThrow('expired at 2027-06-01T00:00:00.000Z');
  });
});
