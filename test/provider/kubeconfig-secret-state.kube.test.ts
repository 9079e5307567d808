/**
 * What Terraform knows of a `vcluster_kubeconfig_secret`, and what nobody may know: the token is nowhere but in the Secret; what was
 * forgotten, was not finished or was never in a state is repaired, removed or imported.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kinds } from '../../operations/host.ts';
import type { HostKind } from '../../operations/host.ts';
import { parseKubeconfig } from '../../operations/parse-kubeconfig.ts';
import { until } from '../support/eventually.ts';
import { processList } from '../support/process-list.ts';
import { accountKey, address, secretKey, SecretStage } from './kubeconfig-secret-stage.ts';

const { secrets, serviceAccounts } = kinds;
const admission = { group: 'admissionregistration.k8s.io', version: 'v1' } as const;

/** Of a token: its head and its claims. */
const tokenShape = /eyJ[\w-]{20,}\.eyJ[\w-]{20,}/;

let stage: SecretStage;

describe('what is known of a vcluster_kubeconfig_secret', () => {
  beforeAll(async () => {
    stage = await SecretStage.open('kubeconfig-secret-state');
    await stage.applied();
  });

  afterAll(() => stage?.[Symbol.asyncDispose]());

  test('no byte of a token is in state, plan, logs at the highest level or process list, before, while and after it is replaced', async () => {
    const token = async (): Promise<string> => parseKubeconfig(await stage.content()).token ?? '';
    const env = { TF_LOG: 'TRACE', TF_LOG_PATH: join(stage.stack.folder, 'trace.log') };
    const before = await token();
    await stage.stack.write(stage.hcl({ rotate_when_changed: '{ release = "1" }' }));
    const work = stage.stack.plan(['-out=plan'], env).then(() => stage.stack.run(['apply', 'plan'], env));
    const processes = await processList(work);
    expect((await work).exitCode).toBe(0);
    const after = await token();
    expect(after).not.toBe(before);
    const places = new Map([...(await stage.stack.written()), ['process list', processes]]);
    expect([...places.keys()].map((path) => path.split('/').at(-1))).toEqual(
      expect.arrayContaining(['terraform.tfstate', 'plan', 'trace.log', 'process list']),
    );
    const words = [before, after].flatMap((each) => each.split('.').slice(1));
    expect(words).toHaveLength(4);
    const found = [...places].flatMap(([place, text]) => words.filter((word) => text.includes(word)).map(() => place));
    expect(found).toEqual([]);
    await stage.applied();
  });

  test('a host that quotes the token when it refuses the Secret: nobody reads it', async () => {
    const metadata = { name: 'quoting' };
    const policies: HostKind = { ...admission, plural: 'validatingadmissionpolicies' };
    const bindings: HostKind = { ...admission, plural: 'validatingadmissionpolicybindings' };
    const matchConstraints = {
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['secrets'] }],
    };
    const validations = [{ expression: 'false', messageExpression: "'not this: ' + string(object.data['config'])" }];
    await stage.host.create(policies, undefined, { metadata, spec: { matchConstraints, validations } });
    const matchResources = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ci' } } };
    const spec = { policyName: 'quoting', validationActions: ['Deny'], matchResources };
    await stage.host.create(bindings, undefined, { metadata, spec });
    const isRefused = (): Promise<boolean> =>
      stage.host.request('PATCH', '/api/v1/namespaces/ci/secrets/team-a?dryRun=All', { metadata: {} }).then(
        () => false,
        () => true,
      );
    await until('the policy to hold', isRefused);
    await stage.stack.write(stage.hcl({ format: '"argocd"' }));
    const log = { TF_LOG: 'TRACE', TF_LOG_PATH: join(stage.stack.folder, 'refused.log') };
    const said = await stage.stack.apply([], log);
    expect(said.exitCode).toBe(1);
    await stage.host.delete(bindings, metadata);
    await stage.host.delete(policies, metadata);
    expect(said.text).toContain('not this: [secret]');
    // What is no secret is still told.
    expect(said.text).toContain('secrets/team-a');
    for (const text of [said.text, ...(await stage.stack.written()).values()]) expect(text).not.toMatch(tokenShape);
    // What failed is not forgotten, although the Secret is as it was.
    expect(await stage.change()).toContain('it was not finished');
    await until('the policy to be gone', async () => !(await isRefused()));
    await stage.applied();
  });

  test('an update that failed is done by the next apply', async () => {
    await stage.host.patch(secrets, secretKey, { immutable: true });
    await stage.stack.write(stage.hcl({ server: '"https://elsewhere:443"' }));
    const said = await stage.stack.apply();
    expect(said.exitCode).toBe(1);
    expect(said.text).toContain('refused to change secrets/team-a');
    expect(await stage.change()).toContain('it was not finished');
    await stage.host.delete(secrets, secretKey);
    await stage.applied({ server: '"https://elsewhere:443"' });
    expect(parseKubeconfig(await stage.content()).server).toBe('https://elsewhere:443');
    await stage.noChange();
    await stage.applied();
  });

  test('a tainted one is replaced whole, although Terraform forgets what the provider knew of it', async () => {
    const uid = async (): Promise<string | undefined> => (await stage.host.get(secrets, secretKey)).metadata.uid;
    const accountUid = async (): Promise<string | undefined> =>
      (await stage.virtual.get(serviceAccounts, accountKey)).metadata.uid;
    const before = [await uid(), await accountUid()];
    expect((await stage.stack.run(['taint', address])).exitCode).toBe(0);
    await stage.applied();
    for (const now of [await uid(), await accountUid()]) expect(before).not.toContain(now);
    await expect.poll(() => stage.asTenant('/api/v1/namespaces/default/pods')).toBe(200);
    await stage.noChange();
  });

  test.each([
    [{}],
    [
      {
        format: '"argocd"',
        role: '{ name = "view" }',
        labels: '{ team = "a" }',
        annotations: '{ who = "b" }',
        server: '"https://elsewhere"',
        tls_server_name: '"kubernetes"',
      },
    ],
  ])('one that Terraform does not know is imported, and then as it was made: %j', async (args) => {
    await stage.applied(args);
    const before = (await stage.host.get(secrets, secretKey)).metadata.resourceVersion;
    await stage.stack.writeFile('terraform.tfstate', JSON.stringify({ version: 4, serial: 100, lineage: 'lost' }));
    // Nobody else's, but not this one's either: it is not taken over without a word.
    const taken = await stage.stack.apply();
    expect(taken.text).toContain('Import it (id "ci/team-a")');
    const said = await stage.stack.run(['import', '-input=false', address, 'ci/team-a']);
    expect(said.exitCode, said.text).toBe(0);
    await stage.noChange();
    expect((await stage.host.get(secrets, secretKey)).metadata.resourceVersion).toBe(before);
    const texts = [...(await stage.stack.written()).values()];
    expect(texts.filter((text) => tokenShape.test(text))).toEqual([]);
    expect((await stage.stack.destroy()).exitCode).toBe(0);
    expect(await stage.virtual.tryGet(serviceAccounts, accountKey)).toBeUndefined();
    expect(await stage.binding()).toBeUndefined();
    await stage.applied();
  });

  test.each([
    ['nowhere', 'It must be namespace and name of the Secret'],
    ['ci/nobody', 'There is no Secret ci/nobody'],
    ['team/vc-team-a', 'Secret team/vc-team-a cannot be imported'],
    ['ci/forged', 'Secret ci/forged cannot be imported'],
    ['ci/edited', 'Its annotation cdktf-vcluster/kubeconfig-record was edited'],
  ])('%s is not imported: %s', async (id, message) => {
    const { annotations = {} } = (await stage.host.get(secrets, secretKey)).metadata;
    const record = annotations['cdktf-vcluster/kubeconfig-record'] ?? '';
    const others = {
      forged: { ...annotations, 'cdktf-vcluster/kubeconfig-record': '{"cluster":"team/team-a"}' },
      edited: { ...annotations, 'cdktf-vcluster/kubeconfig-record': record.replace('"view"', '"../../x"') },
    };
    for (const [name, given] of Object.entries(others)) {
      await stage.host.create(secrets, 'ci', { metadata: { name, annotations: given } }).catch(() => undefined);
    }
    await stage.stack.write(`${stage.hcl()}resource "vcluster_kubeconfig_secret" "other" {
      cluster_id = "team/team-a"
      namespace = "ci"
      name = "other"
      service_account = { name = "other" }
    }`);
    const said = await stage.stack.run(['import', '-input=false', 'vcluster_kubeconfig_secret.other', id]);
    expect(said.exitCode).toBe(1);
    expect(said.text).toContain(message);
    await stage.stack.write(stage.hcl());
  });

  test('a creation that failed leaves nothing behind in the end, although Terraform forgets what it had made', async () => {
    await stage.destroyed();
    await stage.stack.write(stage.hcl({ role: '{ name = "nobody" }' }));
    expect((await stage.stack.apply()).exitCode).toBe(1);
    expect(await stage.virtual.tryGet(serviceAccounts, accountKey)).toBeDefined();
    await stage.applied();
    await stage.destroyed();
    expect(await stage.virtual.tryGet(serviceAccounts, accountKey)).toBeUndefined();
    expect(await stage.binding()).toBeUndefined();
    expect(await stage.host.tryGet(secrets, secretKey)).toBeUndefined();
  });

  test('a service account that somebody else has made anew is used from then on, and left in the end', async () => {
    await stage.applied();
    await stage.virtual.delete(serviceAccounts, accountKey);
    await stage.virtual.create(serviceAccounts, accountKey.namespace, { metadata: { name: accountKey.name } });
    expect(await stage.change()).toContain('was made anew, and its tokens are void');
    await stage.applied();
    await expect.poll(() => stage.asTenant('/api/v1/namespaces/default/pods')).toBe(200);
    await stage.noChange();
    await stage.destroyed();
    expect(await stage.virtual.tryGet(serviceAccounts, accountKey)).toBeDefined();
  });
});
