import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createTrust, fromData, toData } from './authority.ts';
import type { Trust } from './authority.ts';
import { authorityProblem } from './certificates.ts';
import { apiServerNames, controlPlaneFiles, writeFiles } from './files.ts';
import { issueAdminKubeconfig } from './kubeconfig.ts';
import { serviceRange } from './service-range.ts';

const now = new Date('2026-11-23T00:00:00Z');
const plane = {
  name: 'team-a',
  namespace: 'tenants',
  domain: 'cluster.local',
  clusterIPs: ['10.96.12.7', 'fd00:10:96::9'],
  egressSocket: '/run/vcluster/egress.sock',
};
let folder = '';
let trust: Trust;

const text = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');
const secretOf = (data: Readonly<Record<string, string>>) => ({
  metadata: { name: 'team-a-certs', namespace: 'tenants' },
  data,
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pki-test-'));
  trust = await createTrust(now);
  await writeFiles(folder, await controlPlaneFiles(trust, plane, now));
});
afterAll(() => rm(folder, { recursive: true }));

describe('controlPlaneFiles()', () => {
  test('lists the names and addresses of the API server in its serving certificate', async () => {
    const certificate = new X509Certificate(await text('apiserver/serving.crt'));
    for (const name of apiServerNames(plane)) expect(certificate.checkHost(name), name).toBe(name);
    for (const address of ['127.0.0.1', ...plane.clusterIPs])
      expect(certificate.checkIP(address), address).toBe(address);
    expect(apiServerNames(plane)).toContain('team-a.tenants.svc.cluster.local');
    expect(certificate.checkHost('team-b')).toBeUndefined();
  });

  test('tells the virtual API server what pods must meet by default [POD-162]', async () => {
    const files = await controlPlaneFiles(trust, { ...plane, podSecurity: 'baseline' }, now);
    expect(parse(files.get('apiserver/admission.yaml') ?? '')).toMatchObject({
      plugins: [
        { name: 'PodSecurity', configuration: { defaults: { enforce: 'baseline', 'enforce-version': 'latest' } } },
      ],
    });
    expect(await text('apiserver/admission.yaml')).toContain('enforce: privileged');
  });

  test.each([
    ['etcd/server.crt', 'etcd/ca.crt', 'sslserver'],
    ['apiserver/serving.crt', 'syncer/ca.crt', 'sslserver'],
    ['apiserver/etcd-client.crt', 'apiserver/etcd-ca.crt', 'sslclient'],
    ['apiserver/kubelet-client.crt', 'syncer/kubelet-ca.crt', 'sslclient'],
    ['apiserver/front-proxy-client.crt', 'apiserver/front-proxy-ca.crt', 'sslclient'],
  ])('signs %s by %s for %s, as openssl sees it', (leaf, authority, purpose) => {
    const args = ['verify', '-x509_strict', '-attime', String(now.getTime() / 1000), '-purpose', purpose];
    const output = execFileSync('openssl', [...args, '-CAfile', join(folder, authority), join(folder, leaf)]);
    expect(output.toString()).toContain('OK');
  });

  test('gives the kubelet identity an authority of its own, which signs nothing that a tenant can ask for', async () => {
    const leaf = new X509Certificate(await text('apiserver/kubelet-client.crt'));
    expect(leaf.subject).toBe('CN=kube-apiserver-kubelet-client');
    expect(leaf.verify(new X509Certificate(await text('apiserver/client-ca.crt')).publicKey)).toBe(false);
  });

  test('points every component at the API server in its own pod', async () => {
    const config = parse(await text('syncer/kubeconfig')) as {
      clusters: readonly { cluster: Record<string, string> }[];
      users: readonly { user: Record<string, string> }[];
    };
    expect(config.clusters[0]?.cluster['server']).toBe('https://127.0.0.1:6443');
    const certificate = Buffer.from(config.users[0]?.user['client-certificate-data'] ?? '', 'base64');
    expect(new X509Certificate(certificate).subject).toBe('O=system:masters\nCN=vcluster-syncer');
  });
});

describe('writeFiles()', () => {
  test('makes files readable by owner and group only, and can replace them', async () => {
    const before = await text('apiserver/serving.crt');
    await writeFiles(folder, await controlPlaneFiles(trust, plane, now));
    expect(await text('apiserver/serving.crt')).not.toBe(before);
    expect((await stat(join(folder, 'apiserver/serving.key'))).mode & 0o777).toBe(0o440);
  });
});

describe('Secret <name>-certs', () => {
  test('survives a round trip', () => {
    expect(fromData(secretOf(toData(trust)), now)).toEqual(trust);
  });

  test.each([
    ['is missing', (data: Record<string, string>) => void delete data['etcd-ca.key'], 'etcd-ca'],
    ['is not PEM', (data: Record<string, string>) => void (data['ca.crt'] = 'bm9uc2Vuc2U='), 'ca'],
    [
      'belongs to another',
      (data: Record<string, string>) => void (data['ca.key'] = data['kubelet-ca.key'] ?? ''),
      'ca',
    ],
    ['is half of another pair', (data: Record<string, string>) => void (data['sa.pub'] = data['ca.key'] ?? ''), 'sa'],
  ])('is refused, not replaced, when a key %s', (_, spoil, named) => {
    const data = { ...toData(trust) };
    spoil(data);
    expect(() => fromData(secretOf(data), now)).toThrow(
      new RegExp(`^Secret tenants/team-a-certs .*and ${named} in it`),
    );
  });

  test('is refused when an authority has expired', () => {
    expect(authorityProblem(trust.authorities.ca, new Date('2040-01-01'))).toContain('expired');
  });
});

describe('issueAdminKubeconfig()', () => {
  test('makes an admin for one year with contexts for both ways in', async () => {
    const data = await issueAdminKubeconfig({
      name: 'team-a',
      namespace: 'tenants',
      authority: trust.authorities.ca,
      now,
    });
    const certificate = new X509Certificate(data['client-certificate']);
    expect(certificate.subject).toBe('O=system:masters\nCN=kubernetes-admin');
    expect(new Date(certificate.validTo).toISOString()).toBe('2027-11-23T00:00:00.000Z');
    const config = parse(data.config) as {
      clusters: readonly { cluster: { server: string } }[];
      'current-context': string;
    };
    expect(config['current-context']).toBe('in-cluster');
    expect(config.clusters.map(({ cluster }) => cluster.server)).toEqual([
      'https://team-a.tenants:443',
      'https://localhost:8443',
    ]);
  });
});

describe('serviceRange()', () => {
  test.each([
    [['10.96.12.7'], '10.96.0.0/16'],
    [['10.43.0.1', 'fd00:10:96::1:9'], '10.43.0.0/16,fd00:10:96::1:0/112'],
    [['fd00::'], 'fd00::/112'],
  ])('of %j is %s', (addresses, range) => {
    expect(serviceRange(addresses)).toBe(range);
  });
});
