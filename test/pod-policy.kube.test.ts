/**
 * The tables of syncer/resources/pods/policy against the Pod Security admission of a real API server: the same pods, the same
 * verdicts. The server judges; nothing is created.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HostApi } from '../operations/host-api.ts';
import { readHostAccess } from '../operations/kubeconfig.ts';
import { policyCases } from '../syncer/resources/pods/policy/cases.ts';
import { controlPlaneDir, silent, startControlPlane } from '../testbed/index.ts';
import type { ControlPlane } from '../testbed/index.ts';

const levels = ['baseline', 'restricted'] as const;
const strictness = { privileged: 0, baseline: 1, restricted: 2 } as const;

let plane: ControlPlane;
let api: HostApi;

beforeAll(async () => {
  plane = await startControlPlane({
    dir: controlPlaneDir('pod-policy'),
    role: 'host',
    serviceCidr: '10.96.0.0/16',
    scheduler: false,
    log: silent,
  });
  api = new HostApi(await readHostAccess({ kubeconfig: plane.kubeconfigPath }));
  for (const level of levels) {
    const labels = {
      'pod-security.kubernetes.io/enforce': level,
      'pod-security.kubernetes.io/enforce-version': 'latest',
    };
    await create('/api/v1/namespaces', { metadata: { name: level, labels } });
    await create(`/api/v1/namespaces/${level}/serviceaccounts`, { metadata: { name: 'tenant' } });
  }
});

afterAll(() => plane.shutdown());

async function create(path: string, object: object): Promise<void> {
  const { status, body } = await api.post(path, object);
  expect(status, JSON.stringify(body)).toBe(201);
}

/** What the server says to a pod, without the details. */
async function verdictOf(level: string, spec: object): Promise<string> {
  const { status, body } = await api.post(`/api/v1/namespaces/${level}/pods?dryRun=All`, {
    metadata: { name: 'judged' },
    spec: { ...spec, serviceAccountName: 'tenant', automountServiceAccountToken: false },
  });
  const { message = '' } = body as { readonly message?: string };
  if (status === 201) return 'admitted';
  return message.includes(`violates PodSecurity "${level}:latest"`) ? 'denied' : `${status}: ${message}`;
}

describe.each(levels)('pods in a namespace that enforces %s [POD-160, ABU-01]', (level) => {
  const judged = policyCases.filter(({ isInvalid }) => isInvalid !== true);
  test.each(judged)('$about: $meets', async ({ spec, meets }) => {
    const admits = strictness[meets] >= strictness[level];
    expect(await verdictOf(level, spec)).toBe(admits ? 'admitted' : 'denied');
  });
});
