/**
 * Certificates, authorities and tokens that are replaced under a running syncer: it goes on with what is in its files now, without a
 * restart, and trusts nobody that they do not vouch for. Real API servers check every one of them.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { kubeconfigAccess } from '../../syncer/cluster/access.ts';
import { Client } from '../../syncer/cluster/client.ts';
import type { WatchEvent } from '../../syncer/model/cluster.ts';
import { ConnectionError, isStatus } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { configMaps, secrets, serviceAccounts } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { issueKubeconfig } from '../../testbed/index.ts';
import { createAuthority, issue } from '../../testbed/pki.ts';
import type { KeyPair, Leaf } from '../../testbed/pki.ts';
import { until } from '../support/eventually.ts';
import { whoIs } from '../support/who-is.ts';
import { clear, clientOf, configMapOf, fileOf, follow, namespace, startStage } from './transport-stage.ts';
import type { Follower, Stage } from './transport-stage.ts';

const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;
const clusterRoleBindings: Kind = {
  ...rbac,
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
};
/** Serves under the address that everybody uses. */
const rightName: Leaf = { commonName: 'chaos-proxy', serves: ['127.0.0.1'] };

let stage: Stage;
let authority: KeyPair;
let follower: Follower | undefined;

beforeAll(async () => {
  stage = await startStage('transport-identity');
  authority = { cert: stage.plane.pki.caCert, key: stage.plane.pki.caKey };
});
afterAll(() => stage.stop());

afterEach(async () => {
  await serve('right', authority, rightName);
  await follower?.stop();
  follower = undefined;
  await clear(stage);
});

/** New connections see a certificate that an authority has issued. */
async function serve(name: string, by: KeyPair, leaf: Leaf): Promise<void> {
  const { cert, key } = await issue(stage.plane.pki.dir, name, by, leaf);
  stage.proxy.serve({ cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') });
  stage.proxy.reset();
}

describe('the certificate of an API server', () => {
  test('with another name than the one that was asked for is not spoken to, until it is right again [F41]', async () => {
    follower = await follow(stage, { waitMaxMs: 300 });
    const client = clientOf(stage);
    await serve('wrong', authority, { commonName: 'chaos-proxy', serves: ['10.9.9.9', 'localhost'] });
    stage.proxy.forget();
    await stage.direct.create(configMaps, configMapOf('meanwhile'));
    await expect(client.create(configMaps, configMapOf('never'))).rejects.toThrow(ConnectionError);
    await expect(client.get(configMaps, { namespace, name: 'meanwhile' })).rejects.toThrow(/IP|altnames/);
    await until('the watch to break', () => Promise.resolve(follower?.told.includes('broken') === true));
    expect(stage.proxy.seen).toEqual([]);
    expect(follower.names()).toEqual(['kube-root-ca.crt']);
    await serve('right', authority, rightName);
    await follower.caughtUp();
    expect(await client.get(configMaps, { namespace, name: 'never' })).toBeUndefined();
  });

  test('of a new authority is trusted once the kubeconfig names that authority, and not before [F41]', async () => {
    follower = await follow(stage, { waitMaxMs: 300 });
    const client = clientOf(stage);
    const other = await createAuthority(stage.plane.pki.dir, 'other-ca');
    await serve('by-other', other, rightName);
    await expect(client.get(configMaps, { namespace, name: 'a' })).rejects.toThrow(ConnectionError);
    const kubeconfig = await readFile(stage.kubeconfigPath, 'utf8');
    const encoded = async (path: string): Promise<string> => (await readFile(path)).toString('base64');
    const replaced = kubeconfig.replace(await encoded(authority.cert), await encoded(other.cert));
    await writeFile(stage.kubeconfigPath, replaced);
    await stage.direct.create(configMaps, configMapOf('a'));
    await follower.caughtUp();
    expect(await client.get(configMaps, { namespace, name: 'a' })).toBeDefined();
    await writeFile(stage.kubeconfigPath, kubeconfig);
  });
});

test('a client certificate that was replaced is used within a minute; a file half written changes nothing [F41]', async () => {
  const { dir, pki, url: server } = stage.plane;
  const organization = 'system:masters';
  const path = await issueKubeconfig(dir, 'before', { server, pki, leaf: { commonName: 'before', organization } });
  const after = await issueKubeconfig(dir, 'after', { server, pki, leaf: { commonName: 'after', organization } });
  let nowMs = 0;
  const client = new Client(
    'host',
    kubeconfigAccess(path, () => nowMs),
  );
  expect(await whoIs(client)).toBe('before');
  const text = await readFile(after, 'utf8');
  await writeFile(path, text.slice(0, 300));
  nowMs += 60_001;
  expect(await whoIs(client)).toBe('before');
  await writeFile(path, text);
  expect(await whoIs(client)).toBe('before');
  nowMs += 60_001;
  expect(await whoIs(client)).toBe('after');
});

/**
 * The answers since the proxy was told to forget, each once. With a 401 the API server also ends the connection (GOAWAY); what was
 * sent on it a moment later is sent again, by the client or by the proxy.
 */
function answersOf({ proxy }: Stage): number[] {
  return [...new Set(proxy.seen.flatMap(({ status }) => status ?? []))];
}

describe('the token of a service account', () => {
  const account = { namespace, name: 'follower' };
  let tokenFile: string;
  let path: string;

  beforeAll(async () => {
    await stage.direct.create(serviceAccounts, { metadata: account });
    const roleRef = { apiGroup: rbac.group, kind: 'ClusterRole', name: 'cluster-admin' };
    const subjects = [{ kind: 'ServiceAccount', ...account }];
    await stage.direct.create(clusterRoleBindings, { metadata: { name: 'follower' }, roleRef, subjects } as KubeObject);
    tokenFile = fileOf(stage, 'token');
    path = fileOf(stage, 'token.kubeconfig');
    const config = JSON.parse(await readFile(stage.kubeconfigPath, 'utf8')) as { users: { user: object }[] };
    const users = config.users.map((user) => ({ ...user, user: { tokenFile: 'token' } }));
    await writeFile(path, JSON.stringify({ ...config, users }));
  });

  async function issueToken(bound?: KubeObject): Promise<string> {
    const ref = { kind: 'Secret', apiVersion: 'v1', name: bound?.metadata.name, uid: bound?.metadata.uid };
    const spec = { audiences: [], ...(bound !== undefined && { boundObjectRef: ref }) };
    const answer = (await stage.direct.post(serviceAccounts, account, 'token', { spec })) as {
      status: { token: string };
    };
    return answer.status.token;
  }

  const eventsOf = (client: Client): AsyncGenerator<WatchEvent> =>
    client.watch(configMaps, { namespace }, '', AbortSignal.timeout(60_000));
  const newClient = (): Client => new Client('virtual', kubeconfigAccess(path));

  test('that has ended is read again as soon as it is refused, and the watch goes on [F42] [OPS-11]', async () => {
    const secret = await stage.direct.create(secrets, { metadata: { name: 'ends', namespace } });
    await writeFile(tokenFile, await issueToken(secret));
    const [ofFollower, forGet, forWatch, probe] = [newClient(), newClient(), newClient(), newClient()];
    for (const client of [forGet, forWatch]) {
      expect(await whoIs(client)).toBe(`system:serviceaccount:${namespace}:follower`);
    }
    follower = await follow(stage, { client: ofFollower });
    // Keeps its connection open: a new one would look at the file by itself.
    const earlier = eventsOf(forWatch);
    await earlier.next();
    await stage.direct.remove(secrets, { namespace, name: 'ends' }, { uid: secret.metadata.uid ?? '' });
    // The API server remembers for some seconds whom it has let in.
    await until('the token to be refused', () =>
      probe.get(configMaps, { namespace, name: 'a' }).then(
        () => false,
        (error: unknown) => isStatus(error, 401),
      ),
    );
    await writeFile(tokenFile, `${await issueToken()}\n`);
    stage.proxy.forget();
    expect(await forGet.get(configMaps, { namespace, name: 'a' })).toBeUndefined();
    expect(answersOf(stage)).toEqual([401, 404]);

    stage.proxy.forget();
    const later = eventsOf(forWatch);
    expect(await later.next()).toMatchObject({ value: { type: 'ADDED' } });
    expect(answersOf(stage)).toEqual([401, 200]);
    await Promise.all([earlier.return(undefined), later.return(undefined)]);

    await Promise.all(stage.proxy.watches.map((watch) => watch.reset()));
    await stage.direct.create(configMaps, configMapOf('a'));
    await follower.caughtUp();
    expect(follower.told).toEqual(['broken']);
  });
});
