/**
 * What people and tools do with pods, on a real node, in a virtual cluster with a DNS domain of its own: names of a StatefulSet's
 * pods, addresses in the environment, copying, debugging, probes and Jobs.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../scripts/lib/host.ts';
import { Inside } from '../scripts/lib/inside.ts';
import type { KubernetesObject } from '../scripts/lib/kubectl.ts';
import { imageNames } from '../testbed/index.ts';
import { eventually, until } from './support/eventually.ts';
import { installCluster } from './support/installed.ts';
import type { InstalledCluster } from './support/installed.ts';

const problem = hostProblem();
const team = { name: 'tools', namespace: 'tenant-of-tools' } as const;
const domain = 'tools.example';
const patienceMs = 60_000;

const shell = { image: imageNames.busybox, imagePullPolicy: 'IfNotPresent', command: ['sleep', '3600'] };
const fieldOf = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const web = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    serviceName: 'web',
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            ...shell,
            name: 'app',
            env: [
              fieldOf('POD_IP', 'status.podIP'),
              fieldOf('HOST_IP', 'status.hostIP'),
              fieldOf('NAME', 'metadata.name'),
            ],
            readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1 },
            lifecycle: { postStart: { exec: { command: ['touch', '/tmp/started'] } } },
          },
        ],
      },
    },
  },
};
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80 }] },
};
const client = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'client', namespace: 'default' },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ ...shell, name: 'shell' }] },
};
const job = (name: string, exitCode: number): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: 'default' },
  spec: {
    backoffLimit: 0,
    template: {
      spec: {
        restartPolicy: 'Never',
        containers: [{ ...shell, name: 'work', command: ['sh', '-c', `exit ${exitCode}`] }],
      },
    },
  },
});

let folder: string;
let installed: InstalledCluster;
let inside: Inside;

function kubectl(...args: readonly string[]): Promise<string> {
  return inside.kubectl.run(['-n', 'default', ...args]);
}

function exec(pod: string, ...command: readonly string[]): Promise<string> {
  return kubectl('exec', pod, '--', ...command);
}

async function statusOf(kind: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  const found: KubernetesObject | undefined = await inside.kubectl.tryGet(kind, name, 'default');
  return found?.status ?? {};
}

describe.skipIf(problem !== undefined)(`tools${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tools-'));
    installed = await installCluster(team, ['--set', `networking.advanced.clusterDomain=${domain}`]);
    inside = await Inside.open(installed.kubectl, team, join(folder, 'kubeconfig'));
    await kubectl('wait', '--for=create', 'serviceaccount/default', '--timeout=60s');
    const items = [service, web, client, job('well', 0), job('badly', 3)];
    await inside.kubectl.run(['apply', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    });
    await kubectl('wait', 'pod/client', '--for=condition=Ready', '--timeout=120s');
  });

  afterAll(async () => {
    await inside?.[Symbol.asyncDispose]();
    await installed?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('a pod is ready when its probe says so, and has its DNS name from then on [POD-99, POD-133, POD-173, POD-174]', async () => {
    await kubectl('wait', 'pod/web-0', '--for=create', '--timeout=60s');
    await kubectl('wait', 'pod/web-0', '--for=jsonpath={.status.phase}=Running', '--timeout=60s');
    const name = `web-0.web.default.svc.${domain}`;
    const lookup = async (): Promise<string> =>
      (await inside.kubectl.attempt(['exec', '-n', 'default', 'client', '--', 'nslookup', name])).stdout;
    expect(await exec('web-0', 'ls', '/tmp')).toBe('started\n');
    const { podIP } = await statusOf('pod', 'web-0');
    // Nobody asks for the name yet: the DNS server would keep the answer that there is none.
    const endpoints = async (): Promise<unknown> => {
      const [slice] = await inside.kubectl.list('endpointslices', 'default', 'kubernetes.io/service-name=web');
      return (slice as { readonly endpoints?: unknown } | undefined)?.endpoints;
    };
    await expect
      .poll(endpoints)
      .toMatchObject([{ addresses: [podIP], hostname: 'web-0', conditions: { ready: false } }]);
    await exec('web-0', 'touch', '/tmp/ready');
    await kubectl('wait', 'pod/web-0', '--for=condition=Ready', '--timeout=60s');
    await until('the name', async () => (await lookup()).includes(String(podIP)), patienceMs);
  });

  test('a container is told the addresses that its status shows [POD-77]', async () => {
    const { podIP, hostIP } = await statusOf('pod', 'web-0');
    const env = (await exec('web-0', 'env')).split('\n');
    expect(env).toEqual(expect.arrayContaining([`POD_IP=${String(podIP)}`, `HOST_IP=${String(hostIP)}`, 'NAME=web-0']));
    expect(await exec('web-0', 'hostname', '-i')).toContain(String(podIP));
  });

  test('the domain is one in resolver, DNS, hosts file, token and certificate [POD-134, POD-65, POD-120]', async () => {
    expect(await exec('client', 'cat', '/etc/resolv.conf')).toContain(
      `search default.svc.${domain} svc.${domain} ${domain}`,
    );
    expect(await exec('client', 'cat', '/etc/hosts')).toContain(`kubernetes.default.svc.${domain}`);
    expect(await exec('client', 'nslookup', `kubernetes.default.svc.${domain}`)).toContain('Address');
    const token = await exec('client', 'cat', '/var/run/secrets/kubernetes.io/serviceaccount/token');
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { iss: string };
    expect(claims.iss).toBe(`https://kubernetes.default.svc.${domain}`);
    const asNamed = await kubectl(
      `--tls-server-name=kubernetes.default.svc.${domain}`,
      'get',
      'pod/client',
      '-o',
      'name',
    );
    expect(asNamed).toBe('pod/client\n');
  });

  test('kubectl cp brings files in and out unharmed [POD-172]', async () => {
    const [here, back] = [join(folder, 'here'), join(folder, 'back')];
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 256));
    await writeFile(here, bytes);
    await inside.kubectl.run(['cp', '-n', 'default', here, 'client:/tmp/there']);
    await inside.kubectl.run(['cp', '-n', 'default', 'client:/tmp/there', back]);
    expect((await readFile(back)).equals(bytes)).toBe(true);
  });

  test('kubectl debug adds a container that sees the processes of the other one [POD-83, POD-170, POD-172]', async () => {
    const image = ['--image', imageNames.busybox, '--image-pull-policy=IfNotPresent'];
    const target = ['--target=shell', '--container=debugger', '--profile=baseline'];
    await kubectl('debug', 'client', ...image, ...target, '--', 'sleep', '3600');
    await eventually(
      'the debugger to run',
      async () => {
        const statuses = (await statusOf('pod', 'client'))['ephemeralContainerStatuses'] as
          | readonly { readonly state: { readonly running?: object } }[]
          | undefined;
        return statuses?.[0]?.state.running;
      },
      patienceMs,
    );
    const processes = await kubectl('exec', 'client', '-c', 'debugger', '--', 'ps');
    expect(processes.split('\n').filter((line) => line.includes('sleep 3600'))).toHaveLength(2);
  });

  test('Jobs end as their containers do [POD-25, POD-26]', async () => {
    await kubectl('wait', 'job/well', '--for=condition=Complete', '--timeout=60s');
    await kubectl('wait', 'job/badly', '--for=condition=Failed', '--timeout=60s');
    const exitCodes = await kubectl(
      'get',
      'pods',
      '-l',
      'job-name=badly',
      '-o',
      'jsonpath={.items[*].status.containerStatuses[*].state.terminated.exitCode}',
    );
    expect(exitCodes).toBe('3');
    await kubectl('delete', 'jobs', 'well', 'badly', '--timeout=60s');
    await until(
      'their pods to be gone from the host',
      async () => {
        const pods = await installed.kubectl.list('pods', team.namespace, 'vcluster.loft.sh/managed-by=tools');
        return !pods.some(({ metadata }) => /^(?:well|badly)-/.test(metadata.name));
      },
      patienceMs,
    );
  });
});
