/**
 * A StatefulSet with a volume of its own on a real node: provisioned by the host's default class, mounted by a real kubelet, and
 * still there when its pod has been made again.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../scripts/lib/host.ts';
import { Inside } from '../scripts/lib/inside.ts';
import { imageNames } from '../testbed/index.ts';
import { installCluster } from './support/installed.ts';
import type { InstalledCluster } from './support/installed.ts';

const problem = hostProblem();
const team = { name: 'claims', namespace: 'tenant-of-claims' } as const;

const container = {
  name: 'app',
  image: imageNames.busybox,
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c', 'date +%s%N >> /data/starts; touch /tmp/written; sleep 3600'],
  // Without it, ready means no more than begun.
  readinessProbe: { exec: { command: ['test', '-e', '/tmp/written'] }, periodSeconds: 1, timeoutSeconds: 5 },
  volumeMounts: [{ name: 'data', mountPath: '/data' }],
};
const statefulSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'store', namespace: 'default' },
  spec: {
    serviceName: 'store',
    replicas: 1,
    selector: { matchLabels: { app: 'store' } },
    template: {
      metadata: { labels: { app: 'store' } },
      spec: { terminationGracePeriodSeconds: 0, containers: [container] },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '16Mi' } } },
      },
    ],
  },
};

let folder: string;
let installed: InstalledCluster;
let inside: Inside;

async function starts(): Promise<readonly string[]> {
  const text = await inside.kubectl.run(['exec', '-n', 'default', 'store-0', '--', 'cat', '/data/starts']);
  return text.trim().split('\n');
}

describe.skipIf(problem !== undefined)(`claims${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'claims-'));
    installed = await installCluster(team);
    inside = await Inside.open(installed.kubectl, team, join(folder, 'kubeconfig'));
    await inside.kubectl.run(['wait', '-n', 'default', '--for=create', 'serviceaccount/default', '--timeout=60s']);
    await inside.kubectl.run(['apply', '-f', '-'], { input: JSON.stringify(statefulSet) });
    await inside.kubectl.run(['rollout', 'status', '-n', 'default', 'statefulset/store', '--timeout=240s']);
  });

  afterAll(async () => {
    await inside?.[Symbol.asyncDispose]();
    await installed?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('a claim without a class gets a volume of the host, and is shown bound to it [PVC-04, PVC-08, PVC-12]', async () => {
    const claim = await inside.kubectl.tryGet('pvc', 'data-store-0', 'default');
    expect(claim?.spec).toMatchObject({ storageClassName: 'local-path', volumeName: expect.stringMatching(/^pvc-/) });
    expect(claim?.status).toMatchObject({ phase: 'Bound', capacity: { storage: '16Mi' } });
  });

  test('what a pod has written, the next one under its name reads [PVC-11]', async () => {
    const before = await starts();
    await inside.kubectl.run(['delete', 'pod', '-n', 'default', 'store-0', '--wait']);
    // The StatefulSet may not know yet that its pod has gone.
    await inside.kubectl.run(['wait', '-n', 'default', 'pod/store-0', '--for=create', '--timeout=60s']);
    await inside.kubectl.run(['wait', '-n', 'default', 'pod/store-0', '--for=condition=Ready', '--timeout=240s']);
    const after = await starts();
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after).toHaveLength(before.length + 1);
  });
});
