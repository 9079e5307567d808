/**
 * A host that only a proxy reaches, as its kubeconfig says: requests, helm and the tunnel go through it. The name in the kubeconfig is
 * one that this machine cannot look up, so whatever went past the proxy would fail.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { HostUnreachableError } from '../../operations/host-errors.ts';
import { kinds, openHost } from '../../operations/host.ts';
import type { Host } from '../../operations/host.ts';
import { applyRelease } from '../../operations/release.ts';
import { Tunnel } from '../../operations/tunnel.ts';
import { startProxy } from './http-proxy.ts';
import type { HttpProxy } from './http-proxy.ts';
import { failureOf, makeNamespace, startStage } from './stage.ts';
import type { Stage } from './stage.ts';

const place = 'https://host.invalid:6443';
let stage: Stage;
let folder: string;
let proxy: HttpProxy;
let host: Host;

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: object }[];
}

/** The administrator's kubeconfig, but for the way. */
async function kubeconfigBy(url: string): Promise<string> {
  const kubeconfig = join(folder, `by-${new URL(url).port}`);
  const direct = parse(await readFile(stage.plane.kubeconfigPath, 'utf8')) as Kubeconfig;
  const way = { server: place, 'proxy-url': url, 'tls-server-name': 'localhost' };
  const clusters = direct.clusters.map(({ name, cluster }) => ({ name, cluster: { ...cluster, ...way } }));
  await writeFile(kubeconfig, JSON.stringify({ ...direct, clusters }), { mode: 0o600 });
  return kubeconfig;
}

beforeAll(async () => {
  stage = await startStage('proxy');
  folder = await mkdtemp(join(tmpdir(), 'proxy-test-'));
  proxy = await startProxy(Number(new URL(stage.plane.url).port));
  host = await openHost({ kubeconfig: await kubeconfigBy(proxy.url) });
});

afterAll(async () => {
  host?.close();
  proxy?.[Symbol.dispose]();
  await stage?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

test('requests and helm go through it', async () => {
  await makeNamespace(host, 'by-proxy');
  const before = proxy.asked.length;
  expect(await applyRelease(host, { name: 'by-proxy', namespace: 'by-proxy', values: {} })).toMatchObject({
    status: 'deployed',
  });
  expect(proxy.asked.length).toBeGreaterThan(before);
  expect(new Set(proxy.asked)).toEqual(new Set(['host.invalid:6443']));
});

test('the tunnel goes through it', async () => {
  await makeNamespace(stage.host, 'tunnelled');
  const ref = { namespace: 'tunnelled', name: 'tunnelled' };
  const labels = { app: 'vcluster', release: 'tunnelled' };
  const spec = { containers: [{ name: 'kube-apiserver', image: 'none' }], serviceAccountName: 'default' };
  await stage.host.create(kinds.serviceAccounts, 'tunnelled', { metadata: { name: 'default' } }).catch(() => undefined);
  await stage.host.create(kinds.pods, 'tunnelled', { metadata: { name: 'tunnelled-0', labels }, spec });
  await stage.host.patch(
    kinds.pods,
    { namespace: 'tunnelled', name: 'tunnelled-0' },
    { status: { phase: 'Running' } },
    {
      subresource: 'status',
    },
  );
  await using tunnel = await Tunnel.open(host, ref);
  const client = connect(tunnel.port, '127.0.0.1').on('error', () => undefined);
  client.write('hello');
  await new Promise((resolve) => client.once('close', resolve));
  // It was asked, and knows of no node.
  expect(tunnel.problem?.message).toMatch(/does not have a host assigned/);
});

test('that is not there is what cannot be reached', async () => {
  const error = await failureOf((await openHost({ kubeconfig: await kubeconfigBy('http://127.0.0.1:1') })).version());
  expect(error).toBeInstanceOf(HostUnreachableError);
  expect(error.message).toMatch(/^The host cluster at https:\/\/host\.invalid:6443 cannot be reached: /);
  expect(error.message).toContain('through the proxy http://127.0.0.1:1');
});
