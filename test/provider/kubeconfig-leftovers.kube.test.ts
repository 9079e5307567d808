/**
 * Ephemeral `vcluster_kubeconfig` with a real Terraform that is interrupted, killed or made to tell all it knows: nothing of it stays, no
 * process, no listener, no woken virtual cluster and no byte of a secret. And functions, which know nothing that could stay.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kinds } from '../../operations/host.ts';
import type { HostKind } from '../../operations/host.ts';
import { parseKubeconfig } from '../../operations/parse-kubeconfig.ts';
import { until } from '../support/eventually.ts';
import { groupMembers, processList } from '../support/process-list.ts';
import { SilentServer } from '../support/silent-server.ts';
import { SecretStage } from './kubeconfig-secret-stage.ts';
import { Stack } from './kubeconfig-stage.ts';

const { serviceAccounts, statefulSets } = kinds;
const clusterRoleBindings: HostKind = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterrolebindings',
};
const cluster = { namespace: 'team', name: 'team-a' };
const tokens = /eyJ[\w-]{20,}\.(eyJ[\w-]{20,})/g;

let stage: SecretStage;

/** An ephemeral kubeconfig, and our own provider that works with it: it looks for virtual clusters inside of the virtual one. */
function inside(more: string, credentials: readonly string[] = ['client_certificate', 'client_key']): string {
  const names = ['host', 'cluster_ca_certificate', ...credentials];
  return `
ephemeral "vcluster_kubeconfig" "it" {
  cluster_id = "team/team-a"
  ${more}
}
provider "vcluster" {
  alias = "inside"
${names.map((name) => `  ${name} = ephemeral.vcluster_kubeconfig.it.${name}`).join('\n')}
}
data "vcluster_clusters" "inside" {
  provider = vcluster.inside
}
`;
}

async function isPaused(): Promise<boolean> {
  const { metadata } = await stage.host.get(statefulSets, cluster);
  return metadata.annotations?.['loft.sh/paused'] === 'true';
}

async function setPaused(value: 'true' | null): Promise<void> {
  await stage.host.patch(statefulSets, cluster, { metadata: { annotations: { 'loft.sh/paused': value } } });
}

describe('what an ephemeral kubeconfig leaves behind', () => {
  beforeAll(async () => {
    stage = await SecretStage.open('kubeconfig-leftovers');
  });

  afterAll(() => stage?.[Symbol.asyncDispose]());

  test.each(['direct', 'port_forward'])(
    'Ctrl-C while it waits for one that does not answer (%s): it stops',
    async (access) => {
      const { stack, host } = stage;
      using silent = await SilentServer.start();
      const knocked = silent.reached();
      const secret = { namespace: 'team', name: 'vc-team-a' };
      const { data = {} } = await host.get(kinds.secrets, secret);
      const published = Buffer.from(data['config'] ?? '', 'base64').toString();
      const config = Buffer.from(published.replace(parseKubeconfig(published).server, silent.url)).toString('base64');
      await host.patch(kinds.secrets, secret, { data: { config } });
      await stack.write(inside(`access = "${access}"\n  timeout = "30m"`));
      await using running = stack.start(['plan', '-input=false']);
      await running.heard('ephemeral.vcluster_kubeconfig.it: Opening...');
      if (access === 'direct') await until('it to be asked', () => Promise.resolve(knocked.aborted));
      process.kill(-running.pid, 'SIGINT');
      const said = await running.ended;
      await host.patch(kinds.secrets, secret, { data });
      expect(said.exitCode).toBe(1);
      expect(said.text).toContain('Interrupted');
      await until('the group to be empty', async () => (await groupMembers(running.pid)).length === 0);
    },
  );

  test('Terraform is killed while a paused one is awake: it is paused again, and no process is left', async () => {
    await setPaused('true');
    await stage.stack.write(inside('wake = true\n  timeout = "30m"'));
    await using running = stage.stack.start(['plan', '-input=false']);
    await until('it to be woken', async () => !(await isPaused()));
    process.kill(running.pid, 'SIGKILL');
    await until('it to be paused again', isPaused);
    await until('the group to be empty', async () => (await groupMembers(running.pid)).length === 0);
    expect(await isPaused()).toBe(true);
    await setPaused(null);
  });

  test('no byte of a key or a token, of the admin or of a service account, is in state, plan, logs or process list', async () => {
    const { stack, virtual, planes } = stage;
    await virtual.create(serviceAccounts, 'default', { metadata: { name: 'outsider' } });
    await virtual.create(clusterRoleBindings, undefined, {
      metadata: { name: 'outsider' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'default', name: 'outsider' }],
    });
    const output = '\noutput "seen" {\n  value = length(data.vcluster_clusters.inside.clusters)\n}\n';
    const account = 'service_account = { namespace = "default", name = "outsider" }';
    const seen: string[] = [];
    for (const [log, hcl] of Object.entries({ admin: inside(''), account: inside(account, ['token']) })) {
      const env = { TF_LOG: 'TRACE', TF_LOG_PATH: join(stack.folder, `${log}.log`) };
      await stack.write(hcl + output);
      const work = stack.plan(['-out=plan'], env).then(() => stack.run(['apply', 'plan'], env));
      seen.push(await processList(work));
      const said = await work;
      expect(said.exitCode, said.text).toBe(0);
    }
    const { key = '' } = parseKubeconfig(await readFile(planes[1].kubeconfigPath, 'utf8'));
    const lines = key.split('\n').filter((line) => line.length > 40);
    const words = [...lines, ...lines.map((line) => Buffer.from(line).toString('base64'))];
    expect(words.length).toBeGreaterThan(2);
    const files = await stack.written();
    expect([...files.keys()].map((path) => path.split('/').at(-1))).toEqual(
      expect.arrayContaining(['terraform.tfstate', 'plan', 'admin.log', 'account.log']),
    );
    for (const [path, text] of [...files, ...seen.map((each) => ['process list', each] as const)]) {
      const found = words.filter((word) => text.includes(word));
      expect(found.map(() => path)).toEqual([]);
      // Others on this machine may have tokens of their own.
      const claims = [...text.matchAll(tokens)].map(([, claim = '']) => Buffer.from(claim, 'base64url').toString());
      expect(claims.filter((each) => each.includes('outsider')).map(() => path)).toEqual([]);
    }
  });

  test('an account that cannot be one is refused by the plan, at its place', async () => {
    await stage.stack.write(inside('service_account = { namespace = "a/b", name = ".." }'));
    const said = await stage.stack.plan();
    expect(said.exitCode).toBe(1);
    expect(said.text).toContain('service_account.namespace');
    expect(said.text).toContain('service_account.name');
  });
});

describe('functions, called by Terraform', () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await Stack.open('/dev/null');
  });

  afterAll(() => stack?.[Symbol.asyncDispose]());

  const calling = (argument: string): string => `
resource "terraform_data" "new" {
  input = "web"
}
output "it" {
  value = provider::vcluster::host_name(${argument}, "default", "team-a")
}
`;

  test('an argument that is not known yet makes a result that is not known yet', async () => {
    await stack.write(calling('terraform_data.new.output'));
    const planned = await stack.plan();
    expect(planned.text).toContain('+ it = (known after apply)');
    const said = await stack.apply();
    expect(said.text).toContain('it = "web-x-default-x-team-a"');
  });

  test.each([
    ['"Web"', 'Invalid value for "name" parameter: it must be the name of an object'],
    ['null', 'argument must not be null'],
    ['["web"]', 'Invalid value for "name" parameter: string required'],
  ])('%s is refused at its place', async (argument, message) => {
    await stack.write(calling(argument));
    const said = await stack.plan();
    expect(said.exitCode).toBe(1);
    expect(said.text).toContain(message);
  });
});
