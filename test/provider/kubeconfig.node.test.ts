/**
 * A virtual cluster and what is in it, in one configuration, on a real node with the real provider `kubernetes`: one apply makes all,
 * and nothing is ever planned against the host by mistake, whose kubeconfig is in the environment all the time. The tests of this file
 * build on each other, in order.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../../scripts/lib/host.ts';
import { Inside } from '../../scripts/lib/inside.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { imageNames } from '../../testbed/index.ts';
import { nodeHost } from '../support/installed.ts';
import { processList } from '../support/process-list.ts';
import { secretWords } from '../support/secret-words.ts';
import { insideObjects, insideProvider, Stack } from './kubeconfig-stage.ts';

const problem = hostProblem();
const name = 'kc-compose';
const id = 'vcluster_cluster.it.id';

const deployment = `
resource "kubernetes_deployment_v1" "web" {
  provider = kubernetes.inside
  metadata {
    name      = "web"
    namespace = kubernetes_namespace_v1.app.metadata[0].name
  }
  spec {
    selector { match_labels = { app = "web" } }
    template {
      metadata { labels = { app = "web" } }
      spec {
        termination_grace_period_seconds = 0
        container {
          name              = "web"
          image             = "IMAGE"
          image_pull_policy = "IfNotPresent"
          command           = ["sh", "-c", "sleep 3600"]
        }
      }
    }
  }
}
resource "vcluster_kubeconfig_secret" "ci" {
  cluster_id      = vcluster_cluster.it.id
  namespace       = vcluster_cluster.it.namespace
  name            = "kc-compose-ci"
  service_account = { name = "ci" }
  role            = { name = "edit", namespace = kubernetes_namespace_v1.app.metadata[0].name }
}
output "host_name" { value = provider::vcluster::host_name("web", "app", vcluster_cluster.it.name) }
output "inside" { value = provider::vcluster::virtual_name("web-x-app-x-kc-compose").namespace }
`;

let host: Kubectl;
let stack: Stack;

function configuration(labels: string, more = deployment): string {
  const cluster = `resource "vcluster_cluster" "it" {\n  name   = "${name}"\n  labels = ${labels}\n}\n`;
  return cluster + insideProvider(id, 'access = "port_forward"') + insideObjects + more;
}

/** UIDs of what is inside, by name. */
async function uids(): Promise<readonly (string | undefined)[]> {
  await using inside = await Inside.open(host, { name, namespace: name }, join(stack.folder, 'inside.kubeconfig'));
  const found = [
    await inside.kubectl.tryGet('namespace', 'app'),
    await inside.kubectl.tryGet('configmap', 'app', 'app'),
    await inside.kubectl.tryGet('deployment', 'web', 'app'),
  ];
  return found.map((object) => object?.metadata.uid);
}

describe.skipIf(problem !== undefined)(`kubeconfig${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    host = await nodeHost();
    stack = await Stack.open(host.kubeconfig);
  });

  afterAll(async () => {
    await host?.run(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
    await stack?.[Symbol.asyncDispose]();
  });

  test('ONE apply makes the virtual cluster, a namespace, a Deployment that runs and a kubeconfig for a tenant', async () => {
    await stack.write(configuration('{ tier = "one" }').replace('IMAGE', imageNames.busybox));
    const said = await stack.apply();
    expect(said.exitCode, said.text).toBe(0);
    expect(said.text).toContain('host_name = "web-x-app-x-kc-compose"');
    expect(said.text).toContain('inside = "app"');
    expect(await uids()).not.toContain(undefined);
    // The host has none of it, although its kubeconfig is in the environment.
    expect(await host.tryGet('namespace', 'app')).toBeUndefined();
  });

  test('a second plan changes nothing; it opens a tunnel and closes it', async () => {
    const said = await stack.plan();
    expect(said.exitCode, said.text).toBe(0);
    expect(said.text).toContain('Opening complete');
    expect(said.text).toContain('Closing complete');
  });

  test('no byte of a key or a token is in state, plan, logs at the highest level, or in any process list', async () => {
    const env = { TF_LOG: 'TRACE', TF_LOG_PATH: join(stack.folder, 'trace.log') };
    const lines = await processList(stack.plan(['-out=plan'], env));
    await stack.run(['show', '-json', 'plan']).then(({ text }) => expect(text).not.toBe(''));
    const words = await secretWords(host, name, [`vc-${name}`, `${name}-certs`, 'kc-compose-ci']);
    expect(words.length).toBeGreaterThan(20);
    const places = new Map([...(await stack.written()), ['process list', lines]]);
    expect([...places.keys()].map((path) => path.split('/').at(-1))).toEqual(
      expect.arrayContaining(['terraform.tfstate', 'plan', 'trace.log', 'process list']),
    );
    places.delete(join(stack.folder, 'inside.kubeconfig'));
    const found = [...places].flatMap(([place, text]) => words.filter((word) => text.includes(word)).map(() => place));
    expect(found).toEqual([]);
  });

  test('an update of the virtual cluster in place leaves what is inside alone', async () => {
    const before = await uids();
    await stack.write(configuration('{ tier = "two" }').replace('IMAGE', imageNames.busybox));
    const planned = await stack.plan();
    expect(planned.text).toContain('Plan: 0 to add, 1 to change, 0 to destroy');
    const said = await stack.apply();
    expect(said.exitCode, said.text).toBe(0);
    expect(await uids()).toEqual(before);
    const again = await stack.plan();
    expect(again.exitCode, again.text).toBe(0);
  });

  test('while the virtual cluster is to be made anew, nothing inside is planned against the host', async () => {
    const said = await stack.plan(['-replace=vcluster_cluster.it']);
    expect(said.text).not.toMatch(/kubernetes_\w+\.app has been deleted/);
    expect(said.text).not.toMatch(/kubernetes_\w+\.app will be created/);
  });

  test('destroy takes it apart from the inside out, and nothing stays', async () => {
    const said = await stack.destroy();
    expect(said.exitCode, said.text).toBe(0);
    expect(said.text.indexOf('kubernetes_namespace_v1.app: Destruction complete')).toBeLessThan(
      said.text.indexOf('vcluster_cluster.it: Destroying'),
    );
    expect(await host.tryGet('namespace', name)).toBeUndefined();
  });
});
