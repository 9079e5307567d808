/**
 * Ephemeral `vcluster_kubeconfig`, opened, renewed and closed by hand between two real API servers: what it hands out, what it checks, and
 * what it says when the way in is wrong. With a real Terraform and a real node: kubeconfig.node.test.ts.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kubeconfigText } from '../../operations/kubeconfig-text.ts';
import { kinds, openHost } from '../../operations/host.ts';
import type { Host } from '../../operations/host.ts';
import { parseKubeconfig } from '../../operations/parse-kubeconfig.ts';
import type { ParsedKubeconfig } from '../../operations/parse-kubeconfig.ts';
import { VirtualApi } from '../../operations/virtual-api.ts';
import { configure } from '../../provider/configured.ts';
import type { ConfiguredProvider } from '../../provider/configured.ts';
import type { Opened, Renewed } from '../../provider/framework/ephemeral.ts';
import type { Attributes } from '../../provider/framework/attributes.ts';
import type { ValueRecord } from '../../provider/framework/values.ts';
import { kubeconfigEphemeral } from '../../provider/kubeconfig/ephemeral.ts';
import { controlPlaneDir, silent, startControlPlane } from '../../testbed/index.ts';
import type { ControlPlane } from '../../testbed/index.ts';
import { Audit } from '../support/audit.ts';
import { until } from '../support/eventually.ts';
import { insideObjects, insideProvider, Stack } from './kubeconfig-stage.ts';

const { namespaces, secrets, serviceAccounts, statefulSets } = kinds;
const secretKey = { namespace: 'team', name: 'vc-team-a' };
const { definition } = kubeconfigEphemeral;
const account = { namespace: 'default', name: 'ci', expiration_seconds: 600 };

/** Whom the kubeconfigs of API servers of the testbed are for. */
const adminUser = 'testbed-admin';

let audits: readonly [Audit, Audit];
let planes: readonly [ControlPlane, ControlPlane];
let host: Host;
let virtual: Host;
let admin: ParsedKubeconfig;
let provider: ConfiguredProvider;

const quiet = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // Nobody reads it.
}

function surroundings(): {
  readonly provider: ConfiguredProvider;
  readonly signal: AbortSignal;
  readonly log: typeof quiet;
  readonly hide: () => void;
  readonly remainingMs: () => number;
} {
  return { provider, signal: new AbortController().signal, log: quiet, hide: ignore, remainingMs: () => Infinity };
}

async function open(more: ValueRecord = {}): Promise<Opened<Attributes>> {
  const defaults = { cluster_id: 'team/team-a', access: 'auto', timeout: '20s', wake: false, service_account: null };
  return definition.open({ ...surroundings(), config: { ...defaults, ...more } });
}

async function renew({ private: kept = {} }: Opened<Attributes>): Promise<Renewed | undefined> {
  return definition.renew?.({ ...surroundings(), private: kept });
}

async function close({ private: kept = {} }: Opened<Attributes>): Promise<void> {
  await definition.close?.({ ...surroundings(), private: kept });
}

/** Publishes a kubeconfig of the virtual cluster that differs from the right one. */
async function publish(other: Partial<ParsedKubeconfig>): Promise<void> {
  const { server, certificateAuthority: ca = '', certificate, key } = { ...admin, ...other };
  const text = kubeconfigText({ name: 'team-a', server, ca, certificate, key });
  await host.patch(secrets, secretKey, { data: { config: Buffer.from(text).toString('base64') } });
}

function textOf({ result }: Opened<Attributes>, name: string): string {
  const value = result[name];
  return typeof value === 'string' ? value : '';
}

/** Whom the virtual cluster takes a result for. */
async function userOf(opened: Opened<Attributes>): Promise<string> {
  const { server, certificateAuthority: ca, certificate, key, token } = parseKubeconfig(textOf(opened, 'kubeconfig'));
  const api = new VirtualApi({ server: new URL(server), ca, certificate, key, token, insecure: false }, 'team-a');
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const answer = await api.request({ method: 'POST', path, body: review });
  return (answer as { readonly status: { readonly userInfo: { readonly username: string } } }).status.userInfo.username;
}

describe('ephemeral vcluster_kubeconfig', () => {
  beforeAll(async () => {
    const dir = (role: string): string => controlPlaneDir(`kubeconfig-ephemeral-${role}`);
    const options = { serviceCidr: '10.96.0.0/16', scheduler: false, log: silent };
    audits = await Promise.all([Audit.of(adminUser), Audit.of(adminUser)]);
    planes = await Promise.all([
      startControlPlane({ ...options, dir: dir('host'), role: 'host', apiServerArgs: audits[0].args }),
      startControlPlane({ ...options, dir: dir('virtual'), role: 'virtual', apiServerArgs: audits[1].args }),
    ]);
    host = await openHost({ kubeconfig: planes[0].kubeconfigPath });
    virtual = await openHost({ kubeconfig: planes[1].kubeconfigPath });
    admin = parseKubeconfig(await readFile(planes[1].kubeconfigPath, 'utf8'));
    provider = configure({
      config_path: planes[0].kubeconfigPath,
      config_paths: null,
      config_context: null,
      host: null,
    });
    await host.create(namespaces, undefined, { metadata: { name: 'team' } });
    await host.create(secrets, 'team', { metadata: { name: 'vc-team-a' } });
    const labels = { app: 'vcluster', release: 'team-a' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'x', image: 'x' }] } };
    const spec = { replicas: 0, selector: { matchLabels: labels }, template };
    await host.create(statefulSets, 'team', { metadata: { name: 'team-a', labels }, spec });
    await publish({});
  });

  afterAll(async () => {
    await provider?.close();
    host?.close();
    virtual?.close();
    await Promise.all((planes ?? []).map((plane) => plane.shutdown()));
    await Promise.all((audits ?? []).map((audit) => audit.remove()));
  });

  test('opening costs two reads of the host and one inside, every time; closing nothing', async () => {
    const verbs = async (): Promise<readonly (readonly string[])[]> =>
      Promise.all(audits.map(async (audit) => (await audit.calls()).map(({ verb, what }) => `${verb} ${what}`)));
    const before = await verbs();
    for (let time = 1; time <= 3; time += 1) await close(await open());
    const after = await verbs();
    const added = after.map((calls, index) => calls.slice(before[index]?.length));
    const once = ['get statefulsets', 'get secrets'];
    expect(added).toEqual([
      [...once, ...once, ...once],
      ['get ', 'get ', 'get '],
    ]);
  });

  test('directly, as the admin, where the right certificate answers', async () => {
    const opened = await open();
    expect(opened.result).toMatchObject({ host: planes[1].url, token: null, tls_server_name: null });
    expect(Date.parse(textOf(opened, 'expires_at'))).toBeGreaterThan(Date.now());
    expect(await userOf(opened)).not.toContain('system:serviceaccount');
    expect(opened.renewAt?.getTime()).toBeGreaterThan(Date.now());
    expect(JSON.stringify(opened.private)).not.toContain('PRIVATE');
    await renew(opened);
    await close(opened);
    await expect(renew(opened)).rejects.toThrow('This kubeconfig is not open');
  });

  test('as a service account, whose token is checked at every renewal', async () => {
    await expect(open({ service_account: account })).rejects.toThrow('There is no service account "ci"');
    await virtual.create(serviceAccounts, 'default', { metadata: { name: 'ci' } });
    const opened = await open({ service_account: account });
    expect(opened.result).toMatchObject({ client_certificate: null, client_key: null });
    expect(await userOf(opened)).toBe('system:serviceaccount:default:ci');
    const renewed = await renew(opened);
    const expires = Date.parse(textOf(opened, 'expires_at'));
    expect(renewed?.renewAt?.getTime()).toBeLessThan(expires);
    await virtual.delete(serviceAccounts, { namespace: 'default', name: 'ci' });
    // API servers remember for some seconds that a token was good.
    let said = '';
    await until(
      'the token to be refused',
      async () => {
        said = await renew(opened).then(() => '', String);
        return said !== '';
      },
      40_000,
    );
    expect(said).toContain('no longer good');
    await close(opened);
  });

  test('paused: said, with what to do', async () => {
    const annotate = (value: string | null): Promise<unknown> =>
      host.patch(
        statefulSets,
        { namespace: 'team', name: 'team-a' },
        { metadata: { annotations: { 'loft.sh/paused': value } } },
      );
    await annotate('true');
    await expect(open()).rejects.toThrow(/is paused.*`wake = true`.*-target=vcluster_cluster/s);
    await annotate(null);
  });

  test('somebody else answers at the published address: nobody is given the credentials', async () => {
    await publish({ server: planes[0].url });
    await expect(open({ access: 'direct' })).rejects.toThrow(
      /is not that of virtual cluster "team-a".*Delete the Secret/s,
    );
    // Not there, so through a tunnel; but nothing of it runs here.
    await expect(open({ access: 'auto', timeout: '5s' })).rejects.toThrow(/does not run|not.*ready/s);
    await publish({});
  });

  test('credentials of another virtual cluster are said to be refused, with the way out', async () => {
    const { certificate, key } = parseKubeconfig(await readFile(planes[0].kubeconfigPath, 'utf8'));
    await publish({ certificate, key });
    await expect(open()).rejects.toThrow(
      /does not accept its own kubeconfig.*Delete the Secret.*-replace=vcluster_cluster/s,
    );
    await publish({});
  });

  test('a Secret without use, and none at all', async () => {
    await host.patch(secrets, secretKey, { data: { config: 'e30=' } });
    await expect(open()).rejects.toThrow(/cannot be used.*not a kubeconfig/s);
    await expect(open({ cluster_id: 'nowhere/nobody' })).rejects.toThrow(
      /There is no virtual cluster "nobody" in namespace "nowhere".*Is it the right host\?/s,
    );
    await publish({});
  });

  test('several at once are several, and each is closed by itself', async () => {
    const both = await Promise.all([open(), open()]);
    expect(both[0].private).not.toEqual(both[1].private);
    await close(both[0]);
    await renew(both[1]);
    await close(both[1]);
  });

  test('while its id is unknown, only the guard keeps what is inside from being planned against the host', async () => {
    await using stack = await Stack.open(planes[0].kubeconfigPath);
    const id = 'resource "terraform_data" "id" {\n  input = "team/team-a"\n}\n';
    const guarded = id + insideProvider('terraform_data.id.output') + insideObjects;
    await stack.make(guarded);
    const plan = (): ReturnType<Stack['plan']> => stack.plan(['-replace=terraform_data.id']);
    const againstTheHost = /kubernetes_\w+\.app (has been deleted|will be created)/;
    const withGuard = await plan();
    expect(withGuard.text).not.toMatch(againstTheHost);
    await stack.write(guarded.replace('config_path = "/dev/null"', ''));
    const withoutGuard = await plan();
    expect(withoutGuard.text).toMatch(againstTheHost);
    await stack.write(guarded);
    const asBefore = await stack.plan();
    expect(asBefore.exitCode, asBefore.text).toBe(0);
    expect((await stack.destroy()).exitCode).toBe(0);
  }, 180_000);
});
