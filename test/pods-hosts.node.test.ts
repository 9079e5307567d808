/**
 * /etc/hosts of a StatefulSet's pods on a real node: what a container reads there and what `hostname -f` says, in a host namespace
 * that admits nothing but `restricted` pods.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../scripts/lib/host.ts';
import { Inside } from '../scripts/lib/inside.ts';
import type { KubernetesObject } from '../scripts/lib/kubectl.ts';
import { imageNames } from '../testbed/index.ts';
import { installCluster } from './support/installed.ts';
import type { InstalledCluster } from './support/installed.ts';

const problem = hostProblem();
const team = { name: 'named', namespace: 'tenant-of-names' } as const;
const fqdn = 'web-0.web.default.svc.cluster.local';

const securityContext = {
  runAsNonRoot: true,
  runAsUser: 1000,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
const container = { image: imageNames.busybox, imagePullPolicy: 'IfNotPresent', securityContext };
const template = {
  metadata: { labels: { app: 'web' } },
  spec: {
    terminationGracePeriodSeconds: 0,
    initContainers: [{ ...container, name: 'first', command: ['sh', '-c', 'cat /etc/hosts > /tmp/seen; hostname -f'] }],
    containers: [
      { ...container, name: 'app', command: ['sleep', '3600'] },
      { ...container, name: 'side', command: ['sleep', '3600'] },
    ],
  },
};
const statefulSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web', namespace: 'default' },
  spec: { serviceName: 'web', replicas: 1, selector: { matchLabels: { app: 'web' } }, template },
};
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80 }] },
};

interface Status {
  readonly podIP: string;
  readonly initContainerStatuses: readonly { readonly name: string }[];
}

let folder: string;
let installed: InstalledCluster;
let inside: Inside;

function exec(containerName: string, ...command: readonly string[]): Promise<string> {
  return inside.kubectl.run(['exec', '-n', 'default', 'web-0', '-c', containerName, '--', ...command]);
}

async function statusOf(): Promise<Status> {
  const pod: KubernetesObject | undefined = await inside.kubectl.tryGet('pod', 'web-0', 'default');
  return pod?.status as unknown as Status;
}

describe.skipIf(problem !== undefined)(`hosts file${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hosts-'));
    installed = await installCluster(team, [], ['pod-security.kubernetes.io/enforce=restricted']);
    inside = await Inside.open(installed.kubectl, team, join(folder, 'kubeconfig'));
    await inside.kubectl.run(['wait', '-n', 'default', '--for=create', 'serviceaccount/default', '--timeout=60s']);
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [service, statefulSet] });
    await inside.kubectl.run(['apply', '-f', '-'], { input: list });
    await inside.kubectl.run(['rollout', 'status', '-n', 'default', 'statefulset/web', '--timeout=120s']);
  });

  afterAll(async () => {
    await inside?.[Symbol.asyncDispose]();
    await installed?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test.each(['app', 'side'])('%s reads the full name of the pod at its address [POD-128, VEC-25]', async (name) => {
    const { podIP } = await statusOf();
    const lines = (await exec(name, 'cat', '/etc/hosts')).split('\n').map((line) => line.split(/\s+/));
    expect(lines).toContainEqual([podIP, fqdn, 'web-0']);
    expect(lines.filter(([address]) => address === podIP)).toHaveLength(1);
    expect(lines.map((words) => words.slice(1))).toContainEqual(expect.arrayContaining(['kubernetes.default']));
    expect(lines.flat().join(' ')).not.toContain(team.namespace);
  });

  test('`hostname` is short and `hostname -f` full, as in any other cluster [POD-126, POD-128]', async () => {
    expect((await exec('app', 'hostname')).trim()).toBe('web-0');
    expect((await exec('app', 'hostname', '-f')).trim()).toBe(fqdn);
  });

  test('an init container of the tenant sees it already [POD-129]', async () => {
    const said = await inside.kubectl.run(['logs', '-n', 'default', 'web-0', '-c', 'first']);
    expect(said.trim()).toBe(fqdn);
  });

  test('the tenant sees its own containers only [POD-92]', async () => {
    const { initContainerStatuses } = await statusOf();
    expect(initContainerStatuses.map(({ name }) => name)).toEqual(['first']);
  });

  test('what could reach the node is refused at `kubectl apply`, before any pod waits for the host [POD-162]', async () => {
    const spec = { hostPID: true, containers: [{ ...container, name: 'app' }] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'nosy', namespace: 'default' }, spec };
    const { exitCode, stderr } = await inside.kubectl.attempt(['apply', '-f', '-'], { input: JSON.stringify(pod) });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('violates PodSecurity "baseline:latest": host namespaces (hostPID=true)');
  });

  test('the name is the one that the cluster DNS has for the pod [POD-133]', async () => {
    const { podIP } = await statusOf();
    // Asked too early, the DNS server keeps its "no" for half a minute.
    const lookup = async (): Promise<string> =>
      (await inside.kubectl.attempt(['exec', '-n', 'default', 'web-0', '-c', 'app', '--', 'nslookup', fqdn])).stdout;
    await expect.poll(lookup, { timeout: 90_000 }).toContain(podIP);
  });
});
