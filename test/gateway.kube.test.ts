/**
 * The gateway between two real API servers: what the virtual one asks of kubelets, Services and pods arrives, goes on to the
 * host, or is refused. No node here, so no container: what logs and exec print is the node level's to show; here it is the
 * host's own errors in the words of the virtual cluster, and what is not let through.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGateway } from '../syncer/gateway/gateway.ts';
import type { GatewayView, HostPod } from '../syncer/gateway/options.ts';
import { silentLogger } from '../syncer/service/logger.ts';
import { Api } from '../testbed/api.ts';
import type { Manifest } from '../testbed/api.ts';
import { type ControlPlane, controlPlaneDir, issueKubeconfig, silent, startControlPlane } from '../testbed/index.ts';

const nodeAddress = '198.51.100.7';
const podAddresses = new Set<string>();
/** virtual name → host name, all in namespace `default` and in host namespace `tenant-a`. */
const hostNames: Readonly<Record<string, string>> = {
  waiting: 'waiting-x-default-x-vc1',
  unreachable: 'unreachable-x-default-x-vc1',
  vanished: 'vanished-x-default-x-vc1',
};
const folder = mkdtempSync(join(tmpdir(), 'gateway-'));
const socketPath = join(folder, 'egress.sock');
const stop = new AbortController();

let host: ControlPlane;
let virtual: ControlPlane;
let api: Api;
let served: Promise<void>;
/** Who the gateway is towards the host. */
let identity = { cert: '', key: '' };

const view: GatewayView = {
  hostPodOf: ({ namespace, name }): HostPod | undefined => {
    const hostName = namespace === 'default' ? hostNames[name] : undefined;
    if (hostName === undefined) return undefined;
    return {
      hostKey: { namespace: 'tenant-a', name: hostName },
      uid: `uid-${name}`,
      containers: ['app'],
      nodeName: 'n1',
    };
  },
  isNodeAddress: (ip) => ip === nodeAddress,
  nodeNameOfAddress: (ip) => (ip === nodeAddress ? 'n1' : undefined),
  podsOnNode: (node) => (node === 'n1' ? [{ metadata: { name: 'waiting', namespace: 'default' } }] : []),
  serviceTarget: () => false,
  podAddress: (ip) => podAddresses.has(ip),
};

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

function pod(name: string, namespace: string, nodeName?: string): Manifest {
  const spec = { containers: [{ name: 'app', image: 'none' }], ...(nodeName === undefined ? {} : { nodeName }) };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec };
}

async function giveNode(to: Api, name: string, address: string): Promise<void> {
  await to.apply([{ apiVersion: 'v1', kind: 'Node', metadata: { name } }]);
  const body = {
    status: { addresses: [{ type: 'InternalIP', address }], daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } } },
  };
  const path = `/api/v1/nodes/${name}/status`;
  await to.send({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
}

beforeAll(async () => {
  const common = { serviceCidr: '10.97.0.0/16', scheduler: false, log: silent };
  [host, virtual] = await Promise.all([
    startControlPlane({ ...common, dir: controlPlaneDir('gateway-host'), role: 'host' }),
    startControlPlane({
      ...common,
      dir: controlPlaneDir('gateway-virtual'),
      role: 'virtual',
      egressSocket: socketPath,
    }),
  ]);
  identity = { cert: read(host.pki.adminCert), key: read(host.pki.adminKey) };
  const gateway = createGateway({
    socketPath,
    log: silentLogger,
    view,
    host: {
      url: new URL(host.url),
      ca: () => read(host.pki.caCert),
      credentials: () => identity,
      namespace: 'tenant-a',
    },
    kubeletClientCa: read(virtual.pki.caCert),
    serverCertificate: { cert: read(virtual.pki.servingCert), key: read(virtual.pki.servingKey) },
  });
  served = gateway.run(stop.signal);

  api = await Api.fromKubeconfig(virtual.kubeconfigPath);
  await giveNode(api, 'n1', nodeAddress);
  const names = [...Object.keys(hostNames), 'unknown'];
  await api.apply(names.map((name) => pod(name, 'default', 'n1')));

  const hostApi = await Api.fromKubeconfig(host.kubeconfigPath);
  // Nothing listens there: the host API server gets an error from the dial, with its own names in it.
  await giveNode(hostApi, 'host-node', '127.0.0.1');
  await hostApi.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tenant-a' } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'tenant-a' } },
    pod('waiting-x-default-x-vc1', 'tenant-a'),
    pod('unreachable-x-default-x-vc1', 'tenant-a', 'host-node'),
  ]);
  hostApi.close();
});

afterAll(async () => {
  stop.abort();
  await served;
  api.close();
  await Promise.all([host.shutdown(), virtual.shutdown()]);
  rmSync(folder, { recursive: true, force: true });
});

async function get(path: string): Promise<{ status: number; message: string; body: string }> {
  const { status, body } = await api.send({ method: 'GET', path });
  const message: unknown = body.startsWith('{') ? JSON.parse(body).message : body;
  return { status, message: String(message), body };
}

/** A request whose path is sent as it is, `..` and all. */
async function ask(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number; body: string }> {
  const asked = httpsRequest({
    host: new URL(virtual.url).hostname,
    port: new URL(virtual.url).port,
    path,
    method,
    ca: read(virtual.pki.caCert),
    cert: read(virtual.pki.adminCert),
    key: read(virtual.pki.adminKey),
    headers,
  });
  asked.end();
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, body: await text(response) };
}

/** What kubectl asks for; the answer when it is refused. */
function exec(path: string): Promise<{ status: number; body: string }> {
  const spdy = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' };
  return ask(path, spdy, 'POST');
}

/** The first line of the answer to a CONNECT. */
async function connectTo(target: string): Promise<string> {
  const socket = connect(socketPath);
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  const [chunk]: Buffer[] = await once(socket, 'data');
  socket.destroy();
  return String(chunk).split('\r\n')[0] ?? '';
}

describe('logs', () => {
  test('the host has not placed the pod: its own answer, an empty log [KUB-12]', async () => {
    expect(await get('/api/v1/namespaces/default/pods/waiting/log')).toMatchObject({ status: 200, body: '' });
  });

  test("the host's node cannot be reached: the error shows the virtual pod only [KUB-11] [I7]", async () => {
    const { status, body, message } = await get('/api/v1/namespaces/default/pods/unreachable/log?tailLines=3');
    expect(status).toBe(500);
    expect(message).toContain('/containerLogs/default/unreachable/app?tailLines=3');
    expect(message).toContain('connection refused');
    expect(body).not.toMatch(/-x-|tenant-a/);
  });

  test.each(['vanished', 'unknown'])('there is no host pod of %s: 404', async (name) => {
    const { status, body } = await get(`/api/v1/namespaces/default/pods/${name}/log`);
    expect(status).toBe(404);
    expect(body).not.toMatch(/-x-|tenant-a/);
  });

  test('the syncer lacks a right: said without showing its account [I7]', async () => {
    const { cert, key } = identity;
    await issueKubeconfig(host.dir, 'nobody', { server: host.url, pki: host.pki, leaf: { commonName: 'nobody' } });
    identity = { cert: read(join(host.pki.dir, 'nobody.crt')), key: read(join(host.pki.dir, 'nobody.key')) };
    const { status, message } = await get('/api/v1/namespaces/default/pods/waiting/log');
    const session = await exec('/api/v1/namespaces/default/pods/waiting/exec?command=ls');
    identity = { cert, key };
    expect(status).toBe(500);
    expect(message).toContain('The host cluster refused this to the syncer');
    expect(message).not.toMatch(/nobody|tenant-a/);
    expect(session).toMatchObject({ status: 500, body: expect.stringContaining('The host cluster refused this') });
  });
});

describe('exec', () => {
  test.each([
    ['waiting', 400, 'pod waiting does not have a host assigned'],
    ['unreachable', 500, 'connection refused'],
    ['vanished', 404, 'pods \\"vanished\\" not found'],
    ['unknown', 404, 'Pod default/unknown does not run'],
  ])('into %s: %i', async (name, status, expected) => {
    const answer = await exec(`/api/v1/namespaces/default/pods/${name}/exec?command=ls&stdout=true`);
    expect(answer).toMatchObject({ status, body: expect.stringContaining(expected) });
    expect(answer.body).not.toMatch(/-x-|tenant-a/);
  });
});

describe('the node as such [TOP-14]', () => {
  const proxy = '/api/v1/nodes/n1/proxy';

  test('lists its virtual pods, and is healthy [KUB-05]', async () => {
    const { status, body } = await get(`${proxy}/pods`);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ kind: 'PodList', items: [{ metadata: { name: 'waiting' } }] });
    expect(await get(`${proxy}/healthz`)).toMatchObject({ status: 200, body: 'ok\n' });
  });

  test.each([
    ['run/default/waiting/app'],
    ['metrics'],
    ['stats/summary'],
    ['logs/'],
    ['containerLogs/default/waiting/sidecar'],
    ['containerLogs/default/waiting/app/..%2f..%2f..%2fkube-system'],
    ['containerLogs/kube-system/%252e%252e/default/waiting/app'],
    ['containerLogs/tenant-a/waiting-x-default-x-vc1/app'],
    ['containerLogs/default/waiting;x=1/app'],
  ])('refuses %s [KUB-06] [KUB-07] [KUB-32] [F67]', async (path) => {
    expect(await ask(`${proxy}/${path}`)).toMatchObject({ status: 404 });
  });

  test('a right to read is not enough to run commands [KUB-22]', async () => {
    const webSocket = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'v5.channel.k8s.io',
    };
    const answer = await ask(`${proxy}/exec/default/unreachable/app?command=ls&output=1`, webSocket, 'GET');
    expect(answer).toMatchObject({ status: 403, body: expect.stringContaining('Upgrades are taken by POST only') });
  });

  test('exec without an upgrade, and an upgrade of anything else, are refused [F67]', async () => {
    expect(await ask(`${proxy}/exec/default/waiting/app?command=ls`)).toMatchObject({ status: 400 });
    expect(await exec(`${proxy}/containerLogs/default/waiting/app`)).toMatchObject({ status: 405 });
    expect(await exec(`${proxy}/pods`)).toMatchObject({ status: 405 });
  });
});

describe('CONNECT', () => {
  test.each([
    '127.0.0.1:6443',
    '169.254.169.254:80',
    '[::ffff:169.254.169.254]:80',
    'localhost:10250',
    'n1:10250',
    `${nodeAddress}:22`,
    '203.0.113.9:443',
    '10.97.0.1:443',
  ])('to %s is refused: no open relay [F67]', async (target) => {
    expect(await connectTo(target)).toBe(
      'HTTP/1.1 403 No address of a Service, running pod or node of this virtual cluster',
    );
  });

  test('is the only method, on a socket for its own user and group', async () => {
    const asked = httpRequest({ socketPath, path: 'http://127.0.0.1:6443/' });
    asked.end();
    const [response] = await once(asked, 'response');
    response.resume();
    expect(response.statusCode).toBe(405);
    expect(statSync(socketPath).mode & 0o777).toBe(0o660);
  });

  test('to a node shows nothing to a client without the certificate for kubelets [KUB-20]', async () => {
    const asAdmin = { cert: read(virtual.pki.adminCert), key: read(virtual.pki.adminKey) };
    expect(await requestAtNode({})).toBe('');
    expect(await requestAtNode(asAdmin)).toMatch(/^HTTP\/1.1 401 /);
  });

  test('to a pod of this virtual cluster is dialled; to any other address is not [POD-178]', async ({ skip }) => {
    const addresses = Object.values(networkInterfaces()).flat();
    const address = addresses.find((one) => one?.family === 'IPv4' && !one.internal)?.address ?? '';
    skip(address === '', 'this machine has no address but loopback');
    const server = createServer((request, response) => response.end(`hello from ${request.url}`));
    await once(server.listen(0, address), 'listening');
    const at = server.address();
    const port = typeof at === 'object' && at !== null ? at.port : 0;
    const body = { status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }] } };
    const path = '/api/v1/namespaces/default/pods/waiting';
    await api.send({ method: 'PATCH', path: `${path}/status`, body, contentType: 'application/merge-patch+json' });

    const refused = await get(`${path}:${port}/proxy/x`);
    expect(refused).toMatchObject({
      status: 503,
      message: expect.stringContaining('No address of a Service, running pod'),
    });
    podAddresses.add(address);
    const reached = await get(`${path}:${port}/proxy/x`);
    expect(reached).toMatchObject({ status: 200, body: 'hello from /x' });
    server.close();
    server.closeAllConnections();
    const down = await get(`${path}:${port}/proxy/x`);
    expect(down.message).toContain('Connection refused: nothing listens on that port');
  });
});

/** What a client with that certificate gets from a node; empty when the connection is closed on it. */
async function requestAtNode(certificate: { cert?: string; key?: string }): Promise<string> {
  const socket = connect(socketPath);
  socket.write(`CONNECT ${nodeAddress}:10250 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await once(socket, 'data');
  const secure = tlsConnect({ socket, ...certificate, rejectUnauthorized: false });
  secure.write('GET /pods HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  return await text(secure).catch(() => '');
}
