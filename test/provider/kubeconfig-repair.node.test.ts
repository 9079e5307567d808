/**
 * When the way in is broken: what a plan says then, what heals by itself, and that the documented way out works. On a real node;
 * the tests of this file build on each other, in order.
 */
import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../../scripts/lib/host.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { nodeHost } from '../support/installed.ts';
import { insideObjects, insideProvider, Stack } from './kubeconfig-stage.ts';

const problem = hostProblem();
const name = 'kc-repair';
const secret = ['-n', name, 'secret', `vc-${name}`];

let host: Kubectl;
let stack: Stack;

function configuration(timeout: string): string {
  const cluster = `resource "vcluster_cluster" "it" {\n  name = "${name}"\n}\n`;
  return cluster + insideProvider('vcluster_cluster.it.id', `timeout = "${timeout}"`) + insideObjects;
}

/** On this machine, which is the node. */
async function apiServerPid(): Promise<number> {
  const pod = await host.tryGet('pod', `${name}-0`, name);
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '');
    const isOfPod = (await read('cgroup')).includes(pod?.metadata.uid ?? 'no pod');
    if (isOfPod && (await read('comm')).startsWith('kube-apiserver')) return Number(pid);
  }
  throw new Error(`No kube-apiserver of pod ${name}-0 runs here.`);
}

async function scale(replicas: number): Promise<void> {
  await host.run(['scale', '-n', name, `statefulset/${name}`, `--replicas=${replicas}`]);
}

describe.skipIf(problem !== undefined)(`repair${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    host = await nodeHost();
    stack = await Stack.open(host.kubeconfig);
    await stack.make(configuration('3m'));
  });

  afterAll(async () => {
    await host?.run(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
    await stack?.[Symbol.asyncDispose]();
  });

  test('a Secret that was deleted comes back while the plan waits for it', async () => {
    await host.run(['delete', ...secret]);
    const said = await stack.plan();
    expect(said.text).toContain('kubernetes_config_map_v1.app: Refreshing state');
    expect(await host.tryGet('secret', `vc-${name}`, name)).toBeDefined();
  });

  test('one that hangs is said to, in its time and with the way out, and what does not look inside still works', async () => {
    await stack.write(configuration('10s'));
    const pid = await apiServerPid();
    process.kill(pid, 'SIGSTOP');
    const said = await stack.plan();
    const around = await stack.plan(['-target=vcluster_cluster.it']);
    process.kill(pid, 'SIGCONT');
    expect(said.exitCode).toBe(1);
    expect(said.text).toMatch(
      new RegExp(`No answer from virtual cluster "${name}"|${name} (did not become|is not) ready`),
    );
    expect(said.text).toContain('-target=vcluster_cluster.NAME');
    expect([0, 2], around.text).toContain(around.exitCode);
    await stack.write(configuration('3m'));
    const again = await stack.plan();
    expect(again.exitCode, again.text).toBe(0);
  });

  test('a Secret that says nothing useful is said so, with what to do', async () => {
    await host.run(['patch', ...secret, '-p', '{"data":{"config":"e30="}}']);
    await scale(0);
    await host.run(['wait', '-n', name, '--for=delete', `pod/${name}-0`, '--timeout=120s']);
    const said = await stack.plan();
    expect(said.exitCode).toBe(1);
    expect(said.text).toContain(`The kubeconfig of virtual cluster "${name}" cannot be used`);
    expect(said.text).toContain('Delete the Secret');
  });

  test('the Secret gone and nobody to write it: the reason, and the documented way out', async () => {
    await host.run(['delete', ...secret]);
    await stack.write(configuration('5s'));
    const said = await stack.plan();
    expect(said.exitCode).toBe(1);
    expect(said.text).toContain(`Virtual cluster "${name}" has no kubeconfig`);
    expect(said.text).toContain(`Secret ${name}/vc-${name}`);
    expect(said.text).toContain('-target=vcluster_cluster.NAME');
    const repaired = await stack.apply(['-replace=vcluster_cluster.it', '-target=vcluster_cluster.it']);
    expect(repaired.exitCode, repaired.text).toBe(0);
    await stack.write(configuration('3m'));
    // Its data went with it: one more apply makes what is inside anew.
    const again = await stack.apply();
    expect(again.exitCode, again.text).toBe(0);
    const planned = await stack.plan();
    expect(planned.exitCode, planned.text).toBe(0);
  });
});
