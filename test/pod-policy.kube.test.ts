/**
 * The tables of syncer/resources/pods/policy against the Pod Security admission of a real API server: the same pods, the same
 * verdicts. The server judges; nothing is created. It has the admission configuration of a virtual cluster's own API server.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { textOf } from '../operations/errors.ts';
import { openHost } from '../operations/host.ts';
import type { Host } from '../operations/host.ts';
import { admissionConfiguration } from '../syncer/pki/admission.ts';
import { policyCases } from '../syncer/resources/pods/policy/cases.ts';
import { controlPlaneDir, silent, startControlPlane } from '../testbed/index.ts';
import type { ControlPlane } from '../testbed/index.ts';

const levels = ['baseline', 'restricted'] as const;
const strictness = { privileged: 0, baseline: 1, restricted: 2 } as const;

let folder: string;
let plane: ControlPlane;
let api: Host;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pod-policy-'));
  const file = join(folder, 'admission.yaml');
  await writeFile(file, admissionConfiguration('baseline'));
  plane = await startControlPlane({
    dir: controlPlaneDir('pod-policy'),
    role: 'host',
    serviceCidr: '10.96.0.0/16',
    scheduler: false,
    apiServerArgs: [`--admission-control-config-file=${file}`],
    log: silent,
  });
  api = await openHost({ kubeconfig: plane.kubeconfigPath });
  for (const level of levels) await addNamespace(level, enforcing(level));
});

afterAll(async () => {
  await plane.shutdown();
  await rm(folder, { recursive: true });
});

function enforcing(level: string): Readonly<Record<string, string>> {
  return { 'pod-security.kubernetes.io/enforce': level, 'pod-security.kubernetes.io/enforce-version': 'latest' };
}

async function addNamespace(name: string, labels: Readonly<Record<string, string>>): Promise<void> {
  await create('/api/v1/namespaces', { metadata: { name, labels } });
  await create(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: 'tenant' } });
}

async function create(path: string, object: object): Promise<void> {
  await api.request('POST', path, object);
}

/** What the server says to a pod, without the details. */
async function verdictOf(namespace: string, spec: object): Promise<string> {
  const pod = {
    metadata: { name: 'judged' },
    spec: { ...spec, serviceAccountName: 'tenant', automountServiceAccountToken: false },
  };
  try {
    await api.request('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);
    return 'admitted';
  } catch (error) {
    const message = textOf(error);
    return message.includes('violates PodSecurity "') ? 'denied' : message;
  }
}

describe.each(levels)('pods in a namespace that enforces %s [POD-160, ABU-01]', (level) => {
  const judged = policyCases.filter(({ isInvalid }) => isInvalid !== true);
  test.each(judged)('$about: $meets', async ({ spec, meets }) => {
    const admits = strictness[meets] >= strictness[level];
    expect(await verdictOf(level, spec)).toBe(admits ? 'admitted' : 'denied');
  });
});

describe('a namespace of the tenant [POD-162]', () => {
  const containers = [{ name: 'app', image: 'app:1' }];

  test('has the level of the virtual cluster while it has no label of its own', async () => {
    await addNamespace('unlabelled', {});
    await addNamespace('open', enforcing('privileged'));
    expect(await verdictOf('unlabelled', { hostPID: true, containers })).toBe('denied');
    expect(await verdictOf('unlabelled', { containers })).toBe('admitted');
    expect(await verdictOf('open', { hostPID: true, containers })).toBe('admitted');
    expect(await verdictOf('restricted', { containers })).toBe('denied');
  });
});
