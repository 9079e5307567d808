/**
 * The way into a virtual cluster through the host's API server, on a real kubelet: the API server of the host is the only thing that
 * this machine is supposed to reach, and no pod of the virtual cluster lives for ever.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { connect } from '../../operations/connect.ts';
import type { Connection } from '../../operations/connect.ts';
import { openHost } from '../../operations/host.ts';
import type { Host, HostChoice } from '../../operations/host.ts';
import { reach } from '../../operations/reach.ts';
import { Tunnel } from '../../operations/tunnel.ts';
import { hostProblem } from '../../scripts/lib/host.ts';
import { eventually, until } from '../support/eventually.ts';
import { installCluster } from '../support/installed.ts';
import type { InstalledCluster } from '../support/installed.ts';

const problem = hostProblem();
const name = 'kc-tunnel';
/** Of two megabytes each: together much more than all buffers on the way. */
const answers = 30;

let installed: InstalledCluster;
let folder: string;
let host: Host;
let hostToken: string;
const hosts: Host[] = [];

async function hostOf(choice: HostChoice): Promise<Host> {
  const opened = await openHost(choice);
  hosts.push(opened);
  return opened;
}

async function forwarded(through: Host = host): Promise<Connection> {
  return connect(through, installed.ref, { access: 'port_forward', timeoutMs: 60_000 });
}

/** Returns when a number has stopped growing. */
async function standstill(count: () => number): Promise<void> {
  let last = -1;
  let same = 0;
  await until('a standstill', async () => {
    const now = count();
    same = now === last && now > 0 ? same + 1 : 0;
    last = now;
    return same > 25;
  });
}

function tlsOf({ server, ca, certificate, key }: Connection['access']): ConnectionOptions {
  return { host: server.hostname, port: Number(server.port), ca, cert: certificate, key };
}

/** One account, known to the host by a token that is found in as many ways as kubeconfigs have. */
async function accountsOf(token: string): Promise<readonly HostChoice[]> {
  const tokenFile = join(folder, 'token.txt');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } };
  await writeFile(join(folder, 'credential.json'), JSON.stringify(credential), { mode: 0o600 });
  const exec = { apiVersion: credential.apiVersion, command: 'cat', args: [join(folder, 'credential.json')] };
  const { server, ca } = await host.access();
  return [
    { kubeconfig: await kubeconfigAs('with-token', { token }) },
    { kubeconfig: await kubeconfigAs('with-token-file', { tokenFile }) },
    { kubeconfig: await kubeconfigAs('with-plugin', { exec: { ...exec, interactiveMode: 'Never' } }) },
    { explicit: { server: server.href, ca, token } },
  ];
}

function socketTo(port: number): Socket {
  return createConnection({ host: '127.0.0.1', port });
}

/** A kubeconfig of the host with another user. */
async function kubeconfigAs(file: string, user: object): Promise<string> {
  const text = await installed.kubectl.run(['config', 'view', '--raw', '--minify', '--flatten']);
  const config = parse(text) as { users: { user: object }[] };
  for (const entry of config.users) entry.user = user;
  const path = join(folder, file);
  await writeFile(path, stringify(config), { mode: 0o600 });
  return path;
}

describe.skipIf(problem !== undefined)(`tunnel${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tunnel-'));
    installed = await installCluster(name);
    host = await hostOf({ kubeconfig: installed.kubectl.kubeconfig });
    await installed.kubectl.run(['create', 'serviceaccount', 'outsider', '-n', name]);
    const rights = ['--verb=get,create', '--resource=pods/portforward', '-n', name];
    await installed.kubectl.run(['create', 'role', 'tunnel', ...rights]);
    const reads = ['--verb=get,list', '--resource=pods,secrets,statefulsets.apps', '-n', name];
    await installed.kubectl.run(['create', 'role', 'read', ...reads]);
    const toOutsider = [`--serviceaccount=${name}:outsider`, '-n', name];
    await installed.kubectl.run(['create', 'rolebinding', 'read', '--role=read', ...toOutsider]);
    hostToken = (await installed.kubectl.run(['create', 'token', 'outsider', '-n', name])).trim();
  });

  afterAll(async () => {
    for (const opened of hosts) opened.close();
    await installed?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('auto takes it where the published address is not reached from here; TLS holds for 127.0.0.1', async () => {
    await using connection = await connect(host, installed.ref, { timeoutMs: 60_000 });
    expect(connection).toMatchObject({ way: 'port_forward', endpoint: `https://${name}.${name}:443` });
    expect(connection.access.server.hostname).toBe('127.0.0.1');
    expect(connection.access.serverName).toBeUndefined();
    expect(await connection.api.request({ path: '/version' })).toMatchObject({
      gitVersion: expect.stringMatching(/^v1/),
    });
  });

  test('direct says that the address is not reached, and what to do', async () => {
    await expect(connect(host, installed.ref, { access: 'direct', timeoutMs: 20_000 })).rejects.toThrow(
      /not reached at https:\/\/kc-tunnel\.kc-tunnel:443.*leave "direct" away/,
    );
  });

  test('many connections at once, and large answers, come through whole', async () => {
    await using connection = await forwarded();
    const whole = JSON.stringify(await connection.api.request({ path: '/openapi/v2', timeoutMs: 60_000 }));
    const asked = Array.from({ length: 12 }, () => connection.api.request({ path: '/openapi/v2', timeoutMs: 60_000 }));
    for (const body of await Promise.all(asked)) expect(JSON.stringify(body) === whole).toBe(true);
  });

  test('what is sent comes whole too: a ConfigMap of nearly a megabyte', async () => {
    await using connection = await forwarded();
    const path = '/api/v1/namespaces/default/configmaps';
    const text = 'x'.repeat(900_000);
    const body = { metadata: { name: 'large' }, data: { text } };
    const made = (await connection.api.request({ method: 'POST', path, body })) as { readonly data: { text: string } };
    expect(made.data.text === text).toBe(true);
  });

  test('a client that does not read slows the server down, instead of filling memory; nothing is lost', async () => {
    await using connection = await forwarded();
    const { access } = connection;
    const asOne = (close: string): string =>
      `GET /openapi/v2 HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n${close}\r\n`;
    const socket = connectTls({ ...tlsOf(access), ALPNProtocols: ['http/1.1'] }).pause();
    await once(socket, 'secureConnect');
    const before = process.memoryUsage().arrayBuffers;
    socket.write(asOne('').repeat(answers - 1) + asOne('Connection: close\r\n'));
    await standstill(() => socket.bytesRead);
    const held = process.memoryUsage().arrayBuffers - before;
    let bytes = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) bytes += chunk.length;
    expect(bytes).toBeGreaterThan(answers * 1_000_000);
    expect(held).toBeLessThan(bytes / 2);
  });

  test('it listens on the loopback interface only', async () => {
    await using tunnel = await Tunnel.open(host, installed.ref);
    const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    const outer = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
    expect(outer).toBeDefined();
    const socket = createConnection({ host: outer?.address ?? '', port: tunnel.port });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  test('when its owner ends it, connections in it end too and the port is free', async () => {
    const tunnel = await Tunnel.open(host, installed.ref);
    const { port } = tunnel;
    const socket = socketTo(port);
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    await tunnel[Symbol.asyncDispose]();
    await closed;
    const [error] = (await once(socketTo(port), 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  test('every kind of account: refused in words without the right, let through with it', async () => {
    const accounts = await Promise.all((await accountsOf(hostToken)).map(hostOf));
    for (const account of accounts) {
      await expect(forwarded(account)).rejects.toThrow(
        /No tunnel into virtual cluster "kc-tunnel".*"get" and "create" on pods\/portforward in namespace "kc-tunnel"/s,
      );
    }
    const binding = ['--role=tunnel', `--serviceaccount=${name}:outsider`, '-n', name];
    await installed.kubectl.run(['create', 'rolebinding', 'tunnel', ...binding]);
    for (const account of accounts) {
      await eventually('the right to hold', async () => {
        await using connection = await forwarded(account);
        return await connection.api.request({ path: '/version' });
      });
    }
  });

  test('when the pod is replaced, the same port leads to the next one', async () => {
    await using connection = await forwarded();
    const uid = async (): Promise<string | undefined> =>
      (await installed.kubectl.tryGet('pod', `${name}-0`, name))?.metadata.uid;
    const before = await uid();
    await installed.kubectl.run(['delete', 'pod', `${name}-0`, '-n', name]);
    await eventually('an answer of the next pod', () => connection.api.request({ path: '/readyz' }), 120_000);
    expect(await uid()).not.toBe(before);
  });

  test('a virtual cluster that does not run is said to be so', async () => {
    await using tunnel = await Tunnel.open(host, { name: 'nobody', namespace: name });
    const { server, ca } = { server: `https://127.0.0.1:${tunnel.port}`, ca: '' };
    expect(await reach({ server, ca }, 30_000)).toMatchObject({ is: 'silent' });
    expect(tunnel.problem?.message).toContain('Virtual cluster "nobody" does not run');
  });
});
