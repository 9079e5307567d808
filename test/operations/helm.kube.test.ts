/**
 * The helm binary: how it is found and fetched, what it is given, and that nothing secret stands where others can read it. Then
 * the connections to a host: what is tried again and what never is.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { cachedHelm, downloadHelm, helmDigests, helmVersion } from '../../operations/helm-download.ts';
import { locateHelm } from '../../operations/helm.ts';
import { HostUnreachableError } from '../../operations/host-errors.ts';
import { kinds, openHost } from '../../operations/host.ts';
import { readHostAccess } from '../../operations/kubeconfig.ts';
import { applyRelease } from '../../operations/release.ts';
import { createAuthority, issue } from '../../testbed/pki.ts';
import { startProxy } from './http-proxy.ts';
import { failureOf, makeNamespace, startStage } from './stage.ts';
import type { Stage } from './stage.ts';

const run = promisify(execFile);
let stage: Stage;
let folder: string;

beforeAll(async () => {
  stage = await startStage('helm');
  folder = await mkdtemp(join(tmpdir(), 'helm-test-'));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await stage?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A site with the release archive as the official one has it; `sums` is what its checksum file says. */
async function withMirror(sums: (digest: string, file: string) => string, use: () => Promise<void>): Promise<void> {
  const platform = `linux-${process.arch === 'x64' ? 'amd64' : 'arm64'}`;
  const file = `helm-v${helmVersion}-${platform}.tar.gz`;
  const rename = `s,^,${platform}/,`;
  await run('tar', [
    '--use-compress-program=gzip -1',
    '-cf',
    join(folder, file),
    '-C',
    dirname(stage.helm),
    `--transform=${rename}`,
    'helm',
  ]);
  const archive = await readFile(join(folder, file));
  const digest = createHash('sha256').update(archive).digest('hex');
  const site = createServer(({ url }, response) => {
    if (url === `/mirror/${file}`) response.end(archive);
    else if (url === `/mirror/${file}.sha256sum`) response.writeHead(302, { location: '/sums' }).end();
    else if (url === '/sums') response.end(sums(digest, file));
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => site.once('listening', resolve));
  vi.stubEnv('VCLUSTER_HELM_MIRROR', `http://127.0.0.1:${(site.address() as AddressInfo).port}/mirror`);
  try {
    await use();
  } finally {
    site.close();
    site.closeAllConnections();
  }
}

describe.skipIf(process.platform !== 'linux')('helm', () => {
  test('is fetched into the cache of the user, once, whole and checked; two at a time do not disturb each other', async () => {
    vi.stubEnv('VCLUSTER_CACHE', join(folder, 'cache'));
    vi.stubEnv('VCLUSTER_HELM', '');
    vi.stubEnv('PATH', '/usr/bin:/bin');
    await withMirror(
      (digest, file) => `${digest}  ${file}\n`,
      async () => {
        const found = await Promise.all([locateHelm(), locateHelm()]);
        expect(found).toEqual([0, 1].map(() => ({ path: cachedHelm(), version: helmVersion })));
      },
    );
    expect((await readFile(cachedHelm())).equals(await readFile(stage.helm))).toBe(true);
    // From now on without any site.
    vi.stubEnv('VCLUSTER_HELM_MIRROR', 'http://127.0.0.1:1');
    expect((await locateHelm()).path).toBe(cachedHelm());
  });

  test('is not taken when its checksum is another one or the site is not there, and says what to do', async () => {
    vi.stubEnv('VCLUSTER_CACHE', join(folder, 'other-cache'));
    await withMirror(
      (digest, file) => `${digest.replace(/^./, (first) => (first === '0' ? '1' : '0'))}  ${file}\n`,
      async () => {
        const error = await failureOf(downloadHelm());
        expect(error.message).toMatch(
          /^Helm is not there and cannot be fetched: .* its checksum is \w{64}, and \w{64} was published\. Install helm/,
        );
      },
    );
    vi.stubEnv('VCLUSTER_HELM_MIRROR', 'http://127.0.0.1:1');
    expect((await failureOf(downloadHelm())).message).toMatch(/ECONNREFUSED.* or name it in VCLUSTER_HELM/);
    await expect(stat(cachedHelm())).rejects.toThrow('ENOENT');
  });

  test('of the official site is held against the checksum that stands here, whatever the site publishes', async () => {
    const authority = await createAuthority(folder, 'somebody');
    const pair = await issue(folder, 'get.helm.sh', authority, { commonName: 'helm', serves: ['get.helm.sh'] });
    const digest = createHash('sha256').update('forged').digest('hex');
    const options = { cert: await readFile(pair.cert), key: await readFile(pair.key) };
    const site = createHttpsServer(options, ({ url }, response) => {
      response.end(url?.endsWith('.sha256sum') ? digest : 'forged');
    }).listen(0, '127.0.0.1');
    // Whoever owns the way to the site, and a certificate that this machine trusts.
    await once(site, 'listening');
    using proxy = await startProxy((site.address() as AddressInfo).port);
    const env = {
      PATH: process.env['PATH'],
      HTTPS_PROXY: proxy.url,
      NODE_EXTRA_CA_CERTS: authority.cert,
      VCLUSTER_CACHE: join(folder, 'forged'),
    };
    const module = pathToFileURL(join(import.meta.dirname, '../../operations/helm-download.ts')).href;
    const script = `const { downloadHelm } = await import(${JSON.stringify(module)}); await downloadHelm().catch((error) => console.log(error.message));`;
    try {
      const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { env });
      const pinned = helmDigests[process.arch === 'x64' ? 'linux-amd64' : 'linux-arm64'];
      expect(stdout).toContain(`its checksum is ${digest}, and ${pinned} was published`);
    } finally {
      site.close();
    }
  });

  test('that VCLUSTER_HELM names has to be one', async () => {
    vi.stubEnv('VCLUSTER_HELM', '/bin/true');
    expect((await failureOf(locateHelm())).message).toContain('/bin/true is version ; 3.12 or a later 3 is needed');
    vi.stubEnv('VCLUSTER_HELM', '/none');
    expect((await failureOf(locateHelm())).message).toContain('/none is no helm that can be run');
  });
});

test("helm gets values and keys where nobody else can read them, and none of the user's own settings", async () => {
  const { plane, helm } = stage;
  const record = join(folder, 'record');
  const wrapper = join(folder, 'wrapper');
  const look = `for a in "$@"; do case "$a" in */kubeconfig) stat -c '%a %n' "$a" "$(dirname "$a")";; esac; done`;
  await writeFile(wrapper, `#!/bin/sh\n{ echo "$@"; env; ${look}; } >> ${record}\nexec ${helm} "$@"\n`);
  await chmod(wrapper, 0o755);
  vi.stubEnv('HELM_NAMESPACE', 'elsewhere');
  vi.stubEnv('HELM_KUBETOKEN', 'hunter2');
  vi.stubEnv('HELM_DRIVER', 'configmap');
  vi.stubEnv('KUBECONFIG', '/none');
  vi.stubEnv('VCLUSTER_HELM', wrapper);
  // As in a process of its own: which helm it is is settled once in each.
  vi.resetModules();
  const { applyRelease: applyAnew } = await import('../../operations/release.ts');
  const host = await openHost({ kubeconfig: plane.kubeconfigPath });
  await makeNamespace(host, 'quiet');
  const wanted = { name: 'quiet', namespace: 'quiet', values: { tracing: { endpoint: 'http://collector:4318' } } };
  expect(await applyAnew(host, wanted)).toMatchObject({ status: 'deployed', values: wanted.values });
  const recorded = await readFile(record, 'utf8');
  const { key = '', certificate = '' } = await readHostAccess({ kubeconfig: plane.kubeconfigPath });
  const secrets = [key, certificate].flatMap((text) => [Buffer.from(text).toString('base64'), ...text.split('\n')]);
  expect(secrets.filter((secret) => secret.length > 40 && recorded.includes(secret))).toEqual([]);
  expect(recorded).not.toContain('collector:4318');
  expect(recorded).not.toMatch(/^HELM_(NAMESPACE|KUBETOKEN)=|^KUBECONFIG=/m);
  expect(recorded).toMatch(/^HELM_DRIVER=secret$/m);
  const [, kubeconfig = '', parent = ''] = /^600 (.*\/kubeconfig)\n700 (.*)$/m.exec(recorded) ?? [];
  expect(kubeconfig).not.toBe('');
  await expect(stat(parent)).rejects.toThrow('ENOENT');
  host.close();
});

describe('a connection that is reset', () => {
  /** Lies between us and the host: ends the first `resets` connections as soon as something was asked. */
  async function through(
    resets: number,
    use: (server: string, connections: () => number) => Promise<void>,
  ): Promise<void> {
    const target = new URL(stage.plane.url);
    let count = 0;
    const relay = createTcpServer((socket) => {
      count += 1;
      socket.on('error', () => undefined);
      if (count <= resets) {
        socket.once('data', () => socket.resetAndDestroy());
        return;
      }
      const upstream = connect(Number(target.port), target.hostname);
      upstream.on('error', () => socket.destroy());
      socket.once('close', () => upstream.destroy());
      socket.pipe(upstream).pipe(socket);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => relay.once('listening', resolve));
    try {
      await use(`https://127.0.0.1:${(relay.address() as AddressInfo).port}`, () => count);
    } finally {
      relay.close();
    }
  }

  const explicitOf = async (server: string): Promise<Parameters<typeof openHost>[0]> => {
    const { ca, certificate, key } = await readHostAccess({ kubeconfig: stage.plane.kubeconfigPath });
    return { explicit: { server, ca, certificate, key } };
  };

  test('is made again for a read, and not for a write', async () => {
    await through(2, async (server, connections) => {
      const host = await openHost(await explicitOf(server));
      expect((await host.get(kinds.namespaces, { name: 'default' })).metadata.name).toBe('default');
      expect(connections()).toBe(3);
      host.close();
    });
    await through(1, async (server, connections) => {
      const host = await openHost(await explicitOf(server));
      const error = await failureOf(host.create(kinds.configMaps, 'default', { metadata: { name: 'once' } }));
      expect(error).toBeInstanceOf(HostUnreachableError);
      expect(connections()).toBe(1);
      host.close();
    });
  });

  test('many requests at once share a few connections', async () => {
    await through(0, async (server, connections) => {
      const host = await openHost(await explicitOf(server));
      await Promise.all(Array.from({ length: 100 }, () => host.list(kinds.configMaps, 'default')));
      expect(connections()).toBeLessThanOrEqual(8);
      host.close();
    });
  });
});

test('applyRelease() with a chart that is no folder says so before anything else', async () => {
  const error = await failureOf(applyRelease(stage.host, { name: 'a', namespace: 'a', values: {}, chart: '/none' }));
  expect(error.message).toContain('/none is no folder with a Helm chart');
});
