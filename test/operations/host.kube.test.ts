/** The way to a host: what it says when it cannot be reached, does not know us or does not let us; and what is in the way of a virtual cluster. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  HostCertificateError,
  HostConflictError,
  HostForbiddenError,
  HostNotFoundError,
  HostUnauthorisedError,
  HostUnreachableError,
} from '../../operations/host-errors.ts';
import { AbortedError } from '../../operations/errors.ts';
import { kinds, openHost } from '../../operations/host.ts';
import { KubeconfigError } from '../../operations/kubeconfig.ts';
import type { ExplicitHost } from '../../operations/kubeconfig.ts';
import { namespaceDrift, applyNamespace, ownedByAnnotation, removeNamespace } from '../../operations/namespace.ts';
import type { WantedNamespace } from '../../operations/namespace.ts';
import { findProblems } from '../../operations/problems.ts';
import { applyRelease } from '../../operations/release.ts';
import { until } from '../support/eventually.ts';
import { asUser, failureOf, makeNamespace, startStage } from './stage.ts';
import type { Stage } from './stage.ts';

let stage: Stage;
let folder: string;
let admin: ExplicitHost;

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
  }[];
  readonly users: readonly {
    readonly user: { readonly 'client-certificate-data': string; readonly 'client-key-data': string };
  }[];
}

beforeAll(async () => {
  stage = await startStage('host');
  folder = await mkdtemp(join(tmpdir(), 'host-test-'));
  admin = explicit(parse(await readFile(stage.plane.kubeconfigPath, 'utf8')) as Kubeconfig);
});

afterAll(async () => {
  await stage?.stop();
  await rm(folder, { recursive: true, force: true });
});

function explicit({ clusters, users }: Kubeconfig): ExplicitHost {
  const decoded = (text = ''): string => Buffer.from(text, 'base64').toString('utf8');
  return {
    server: clusters[0]?.cluster.server ?? '',
    ca: decoded(clusters[0]?.cluster['certificate-authority-data']),
    certificate: decoded(users[0]?.user['client-certificate-data']),
    key: decoded(users[0]?.user['client-key-data']),
  };
}

const refusal = async (choice: Partial<ExplicitHost>): Promise<Error> => {
  const host = await openHost({ explicit: { ...admin, ...choice } });
  return failureOf(host.list(kinds.namespaces, undefined));
};

describe('a host', () => {
  test('is talked to by what was given, or as a credential plugin says', async () => {
    const direct = await openHost({ explicit: admin });
    expect((await direct.version()).gitVersion).toBe('v1.36.3');
    const { certificate, key, ...rest } = admin;
    const script = join(folder, 'plugin');
    const status = { clientCertificateData: certificate, clientKeyData: key };
    await writeFile(join(folder, 'credential.json'), JSON.stringify({ kind: 'ExecCredential', status }), {
      mode: 0o600,
    });
    await writeFile(script, `#!/bin/sh\necho run >> ${folder}/runs\ncat ${folder}/credential.json\n`);
    await chmod(script, 0o700);
    const host = await openHost({ explicit: { ...rest, exec: { command: script } } });
    await Promise.all([host.version(), host.list(kinds.namespaces, undefined)]);
    expect(await readFile(join(folder, 'runs'), 'utf8')).toMatch(/^(run\n){1,2}$/);
  });

  test('that is not there is named with its address and the reason', async () => {
    const error = await refusal({ server: 'https://127.0.0.1:1' });
    expect(error).toBeInstanceOf(HostUnreachableError);
    expect(error.message).toMatch(
      /^The host cluster at https:\/\/127\.0\.0\.1:1 cannot be reached: .*nothing listens there\. Is it up/,
    );
    expect((await refusal({ server: 'https://host.invalid:6443' })).message).toContain('its name is not known');
  });

  test('that does not answer is given up after the time of one request, or at once when told to stop', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as AddressInfo;
    const host = await openHost({ explicit: { ...admin, server: `https://127.0.0.1:${port}` } });
    expect((await failureOf(host.version({ timeoutMs: 100 }))).message).toContain('no answer within 0.1 s');
    const abort = new AbortController();
    silent.once('connection', () => abort.abort());
    expect(await failureOf(host.version({ signal: abort.signal }))).toBeInstanceOf(AbortedError);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test('whose certificate is not as it should be is not trusted', async () => {
    const { ca: _, ...withoutCa } = admin;
    const error = await failureOf((await openHost({ explicit: withoutCa })).version());
    expect(error).toBeInstanceOf(HostCertificateError);
    expect(error.message).toContain('cannot be trusted');
    expect(await refusal({ serverName: 'another.example' })).toBeInstanceOf(HostCertificateError);
    const insecure = await openHost({ explicit: { ...withoutCa, insecure: true } });
    expect((await insecure.version()).major).toBe('1');
  });

  test('that does not know the account says so, and that it does not let it names verb, resource and namespace', async () => {
    const { certificate: _, key: __, ...nobody } = admin;
    const unknown = await failureOf(
      (await openHost({ explicit: { ...nobody, token: 'wrong' } })).list(kinds.pods, 'default'),
    );
    expect(unknown).toBeInstanceOf(HostUnauthorisedError);
    // As file("token") gives it.
    expect(await refusal({ certificate: undefined, key: undefined, token: 'wrong\n' })).toBeInstanceOf(
      HostUnauthorisedError,
    );
    const host = await asUser(stage, 'poor', 'default', []);
    const error = await failureOf(host.list(kinds.statefulSets, 'default'));
    expect(error).toBeInstanceOf(HostForbiddenError);
    expect(error.message).toContain('"poor" may not list statefulsets.apps in namespace "default".');
  });

  test('is not blamed for a client certificate that is none, or that has another key', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const other = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
    for (const wrong of [{ key: other }, { certificate: admin.certificate?.replace(/M/g, '?') }]) {
      const error = await refusal(wrong);
      expect(error).toBeInstanceOf(KubeconfigError);
      expect(error.message).toMatch(/^The client certificate for the host cluster, or its key, cannot be used \(/);
    }
  });

  test('that has no such object, or has it already, says which', async () => {
    const { host } = stage;
    expect(await host.tryGet(kinds.secrets, { namespace: 'default', name: 'none' })).toBeUndefined();
    expect(await failureOf(host.get(kinds.secrets, { namespace: 'default', name: 'none' }))).toBeInstanceOf(
      HostNotFoundError,
    );
    const object = { metadata: { name: 'twice' } };
    await host.create(kinds.configMaps, 'default', object);
    const error = await failureOf(host.create(kinds.configMaps, 'default', object));
    expect(error).toBeInstanceOf(HostConflictError);
    expect(error.message).toContain('already exists');
    const ref = { namespace: 'default', name: 'twice' };
    await expect(host.delete(kinds.configMaps, { ...ref, uid: 'another' })).rejects.toThrow(HostConflictError);
    await host.delete(kinds.configMaps, ref);
    await host.delete(kinds.configMaps, ref);
  });

  test('is listed to the end, page by page', async () => {
    const { host } = stage;
    const names = Array.from({ length: 501 }, (_, index) => `page-${index}`);
    for (let start = 0; start < names.length; start += 50) {
      const batch = names.slice(start, start + 50);
      await Promise.all(
        batch.map((name) =>
          host.create(kinds.configMaps, 'kube-public', { metadata: { name, labels: { paged: 'x' } } }),
        ),
      );
    }
    const found = await host.list(kinds.configMaps, 'kube-public', { labelSelector: 'paged=x', metadataOnly: true });
    expect(new Set(found.map(({ metadata }) => metadata.name))).toEqual(new Set(names));
  });
});

describe('namespaces', () => {
  const wanted = (
    name: string,
    lifecycle: WantedNamespace['lifecycle'],
    more: Partial<WantedNamespace> = {},
  ): WantedNamespace => ({
    name,
    lifecycle,
    cluster: 'team',
    ...more,
  });

  test('create: is made, changed, and goes; one that exists is refused and stays', async () => {
    const { host } = stage;
    const made = wanted('ns-made', 'create', { labels: { tier: 'gold', old: 'x' }, annotations: { note: 'one' } });
    await applyNamespace(host, made);
    await applyNamespace(host, made);
    expect(await namespaceDrift(host, made)).toEqual([]);
    await host.patch(kinds.namespaces, { name: 'ns-made' }, { metadata: { labels: { other: 'theirs', tier: 'tin' } } });
    expect(await namespaceDrift(host, made)).toEqual(['namespace ns-made: label tier: "gold" → "tin"']);
    await applyNamespace(host, wanted('ns-made', 'create', { labels: { tier: 'gold' } }));
    const { metadata } = await host.get(kinds.namespaces, { name: 'ns-made' });
    expect(metadata.labels).toMatchObject({ tier: 'gold', other: 'theirs' });
    expect(metadata.labels).not.toHaveProperty('old');
    expect(metadata.annotations).not.toHaveProperty('note');
    expect((await failureOf(applyNamespace(host, { ...made, cluster: 'rival' }))).message).toContain(
      'is managed for the virtual cluster "team"',
    );
    expect(await removeNamespace(host, { ...made, cluster: 'rival' })).toBe(false);
    expect(await removeNamespace(host, made)).toBe(true);
    expect(await removeNamespace(host, made)).toBe(false);
    await makeNamespace(host, 'ns-foreign');
    const error = await failureOf(applyNamespace(host, wanted('ns-foreign', 'create')));
    expect(error.message).toMatch(/exists already and was not made for this virtual cluster.*"adopt".*"keep"/);
    expect(await removeNamespace(host, wanted('ns-foreign', 'create'))).toBe(false);
  });

  test('adopt: one that exists is ours from then on; keep: it has to exist and is never touched', async () => {
    const { host } = stage;
    const before = await host.get(kinds.namespaces, { name: 'ns-foreign' });
    await applyNamespace(host, wanted('ns-foreign', 'keep', { labels: { tier: 'gold' } }));
    expect(await host.get(kinds.namespaces, { name: 'ns-foreign' })).toEqual(before);
    expect((await failureOf(applyNamespace(host, wanted('ns-absent', 'keep')))).message).toContain(
      'does not exist, and its lifecycle is "keep"',
    );
    await applyNamespace(host, wanted('ns-foreign', 'adopt'));
    expect((await host.get(kinds.namespaces, { name: 'ns-foreign' })).metadata.annotations).toMatchObject({
      [ownedByAnnotation]: 'team',
    });
    expect(await removeNamespace(host, wanted('ns-foreign', 'keep'))).toBe(false);
    expect(await removeNamespace(host, wanted('ns-foreign', 'adopt'))).toBe(true);
    // The last one would be made, and never be deleted again.
    for (const name of ['default', 'kube-public', 'kube-none']) {
      const refused = await failureOf(applyNamespace(host, wanted(name, 'adopt')));
      expect(refused.message).toContain('belongs to the host cluster itself');
    }
  });

  test('one that is held says by what, and goes when that goes', async () => {
    const { host } = stage;
    const held = wanted('ns-held', 'create');
    await applyNamespace(host, held);
    const ref = { namespace: 'ns-held', name: 'holder' };
    await host.create(kinds.configMaps, 'ns-held', { metadata: { name: 'holder', finalizers: ['example.com/hold'] } });
    await until('the host to say what holds it', async () => {
      const { message } = await failureOf(removeNamespace(host, held, { timeoutMs: 0 }));
      return /^Namespace "ns-held" is not gone yet: .*example\.com\/hold/.test(message);
    });
    expect((await failureOf(applyNamespace(host, held))).message).toContain('is being deleted');
    expect(await namespaceDrift(host, held)).toEqual(['namespace ns-held is being deleted']);
    await host.patch(kinds.configMaps, ref, { metadata: { finalizers: null } });
    expect(await removeNamespace(host, held)).toBe(true);
  });
});

describe('what is in the way', () => {
  const wishOf = (
    name: string,
    namespace = name,
    lifecycle: WantedNamespace['lifecycle'] = 'create',
  ): Parameters<typeof findProblems>[1] => ({
    release: { name, namespace, values: {} },
    namespace: { name: namespace, lifecycle, cluster: name },
  });

  test('nothing, for an administrator and a new name; and nothing when it is there already', async () => {
    const { host } = stage;
    const wish = wishOf('way');
    expect(await findProblems(host, wish)).toEqual([]);
    await applyNamespace(host, wish.namespace);
    await applyRelease(host, wish.release);
    expect(await findProblems(host, wish)).toEqual([]);
  });

  test('a name that cannot be, a namespace with another virtual cluster, one that is not ours, a chart that is none', async () => {
    const { host } = stage;
    const subjects = async (...wish: Parameters<typeof wishOf>): Promise<readonly string[]> =>
      (await findProblems(host, wishOf(...wish))).map(({ subject, detail }) => `${subject}: ${detail}`);
    expect(await subjects('Wrong', 'x')).toEqual([expect.stringMatching(/^name: The name "Wrong" cannot be used/)]);
    expect(await subjects('second', 'way', 'keep')).toEqual([
      expect.stringContaining('namespace: Namespace "way" already holds the virtual cluster "way"'),
    ]);
    expect(await subjects('mine', 'kube-public')).toEqual([
      expect.stringContaining('belongs to the host cluster itself'),
    ]);
    const { release, namespace } = wishOf('way');
    expect(await findProblems(host, { namespace, release: { ...release, chart: folder } })).toEqual([
      expect.objectContaining({ subject: 'chart', detail: expect.stringContaining('is no folder with a Helm chart') }),
    ]);
    const old = join(folder, 'old');
    await mkdir(old);
    await writeFile(join(old, 'Chart.yaml'), 'name: vcluster\nversion: 0.0.9\n');
    expect(await findProblems(host, { namespace, release: { ...release, chart: old } })).toEqual([
      expect.objectContaining({
        summary: 'The chart is too old',
        detail: expect.stringContaining('0.1.0 or newer is needed'),
      }),
    ]);
  });

  test('rights: which verb on which resource, in which namespace', async () => {
    await makeNamespace(stage.host, 'rights');
    const all = { verbs: ['*'], apiGroups: ['*'] };
    const poor = await asUser(stage, 'nearly', 'rights', [
      {
        ...all,
        resources: ['*/*', 'secrets', 'services', 'serviceaccounts', 'persistentvolumeclaims', 'roles', 'rolebindings'],
      },
      { verbs: ['get', 'list', 'create'], apiGroups: ['apps'], resources: ['statefulsets'] },
      { ...all, resources: ['configmaps', 'pods', 'events', 'endpointslices'] },
    ]);
    const [problem, ...others] = await findProblems(poor, wishOf('rights', 'rights', 'keep'));
    expect(others).toEqual([]);
    expect(problem?.subject).toBe('rights');
    expect(problem?.detail).toContain('This account may not patch, delete statefulsets.apps in namespace "rights".');
    const creating = await findProblems(poor, wishOf('elsewhere'));
    expect(creating.map(({ detail }) => detail).join('\n')).toContain('may not create namespaces');
  });
});
