/**
 * A paused virtual cluster and what is inside it: said to be paused, woken for as long as Terraform needs it, paused again. On a
 * real node; the tests of this file build on each other, in order.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../../scripts/lib/host.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { until } from '../support/eventually.ts';
import { nodeHost } from '../support/installed.ts';
import { insideObjects, insideProvider, Stack } from './kubeconfig-stage.ts';

const problem = hostProblem();
const name = 'kc-asleep';

let host: Kubectl;
let stack: Stack;

function configuration({ pause, wake }: { readonly pause: boolean; readonly wake: boolean }): string {
  const cluster = `resource "vcluster_cluster" "it" {\n  name  = "${name}"\n  pause = ${pause}\n}\n`;
  return cluster + insideProvider('vcluster_cluster.it.id', `wake = ${wake}`) + insideObjects;
}

/** Work that is done once it is awake, and goes on for longer than any test. */
const long = `
resource "terraform_data" "long" {
  depends_on = [kubernetes_config_map_v1.app]
  provisioner "local-exec" { command = "exec sleep 3600" }
}
`;

/** Whether it has been put to sleep, and nothing of it runs. */
async function isAsleep(): Promise<boolean> {
  const statefulSet = await host.tryGet('statefulset', name, name);
  const pod = await host.tryGet('pod', `${name}-0`, name);
  return statefulSet?.spec?.['replicas'] === 0 && pod === undefined;
}

describe.skipIf(problem !== undefined)(`asleep${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    host = await nodeHost();
    stack = await Stack.open(host.kubeconfig);
    await stack.make(configuration({ pause: false, wake: false }));
    await stack.make(configuration({ pause: true, wake: false }), ['-target=vcluster_cluster.it']);
  });

  afterAll(async () => {
    await host?.run(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
    await stack?.[Symbol.asyncDispose]();
  });

  test('it is said to be paused, and what to do', async () => {
    expect(await isAsleep()).toBe(true);
    const said = await stack.plan();
    expect(said.exitCode).toBe(1);
    expect(said.text).toContain(`Virtual cluster "${name}" in namespace "${name}" is paused`);
    expect(said.text).toContain('`wake = true`');
    expect(await isAsleep()).toBe(true);
  });

  test('woken for a plan that changes nothing, and asleep again after it', async () => {
    await stack.write(configuration({ pause: true, wake: true }));
    const said = await stack.plan();
    expect(said.exitCode, said.text).toBe(0);
    expect(said.text).toContain('kubernetes_config_map_v1.app: Refreshing state');
    expect(await isAsleep()).toBe(true);
  });

  test('Terraform is killed while it is awake: asleep again', async () => {
    await stack.write(configuration({ pause: true, wake: true }) + long);
    await using running = stack.start(['apply', '-auto-approve', '-input=false']);
    await running.heard('terraform_data.long: Provisioning with');
    expect(await isAsleep()).toBe(false);
    process.kill(running.pid, 'SIGKILL');
    await until('it to be asleep', isAsleep, 120_000);
  });

  test('resumed before anything else, it is there with its data', async () => {
    await stack.write(configuration({ pause: false, wake: false }));
    const resumed = await stack.apply(['-target=vcluster_cluster.it']);
    expect(resumed.exitCode, resumed.text).toBe(0);
    const said = await stack.plan();
    expect(said.exitCode, said.text).toBe(0);
  });
});
