/**
 * The life of `vcluster_cluster` on a real node, by a real Terraform, as providers are accepted: create, empty plan, update, drift of
 * every kind, sleep, protection, import, failure, destroy. The tests build on each other, in order, on one virtual cluster.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deleteCluster } from '../../operations/delete.ts';
import { kinds, openHost } from '../../operations/host.ts';
import type { Host } from '../../operations/host.ts';
import { applyRelease, readRelease } from '../../operations/release.ts';
import { waitUntilReady } from '../../operations/wait.ts';
import { findHost, hostProblem, provideImage } from '../../scripts/lib/host.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { leftovers } from '../../scripts/lib/leftovers.ts';
import { resolveBinary, toStderr as log } from '../../testbed/index.ts';
import { unzip } from '../../testbed/zip.ts';
import { eventually } from '../support/eventually.ts';
import { clusterHcl as hcl, Workspace } from './cluster-workspace.ts';
import type { Stored } from './cluster-workspace.ts';

const problem = hostProblem();
const ref = { namespace: 'clu-life', name: 'clu-life' } as const;
const roles = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'roles' } as const;
const bindings = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'rolebindings' } as const;

let kubectl: Kubectl;
let host: Host;
let workspace: Workspace;

async function stored(): Promise<Stored> {
  const { 'vcluster_cluster.it': found } = await workspace.state();
  if (found === undefined) throw new Error('Terraform knows nothing of it.');
  return found;
}

/** Applies, and sees that nothing is left to change. */
async function settle(config: string): Promise<string> {
  const applied = await workspace.apply(config);
  expect(applied.exitCode, applied.text).toBe(0);
  await expectNoChange(config);
  return applied.text;
}

/** On a machine that is busy with other tests a probe may fail once; anything else that is planned is one change too many. */
async function expectNoChange(config: string): Promise<void> {
  let planned = await workspace.plan(config);
  for (let left = 10; left > 0 && /- "not ready: [^"]*", \]/.test(planned.text); left -= 1) {
    await waitUntilReady(host, ref, { timeoutMs: 60_000 });
    planned = await workspace.plan(config);
  }
  expect(planned.exitCode, planned.text).toBe(0);
}

/** UIDs of what the virtual cluster has on the host for its tenants. */
async function tenantPods(): Promise<readonly string[]> {
  const labelSelector = `vcluster.loft.sh/managed-by=${ref.name}`;
  const pods = await host.list(kinds.pods, ref.namespace, { labelSelector });
  return pods.map(({ metadata }) => metadata.uid ?? '').toSorted();
}

/** Every secret byte of the virtual cluster and of the account that Terraform works with, as text and in base64. */
async function secrets(): Promise<readonly string[]> {
  const names = [`vc-${ref.name}`, `${ref.name}-certs`];
  const found = await Promise.all(names.map((name) => host.get(kinds.secrets, { namespace: ref.namespace, name })));
  const keys = found.flatMap(({ data = {} }) =>
    Object.entries(data).filter(([name]) => /key|config|token/i.test(name)),
  );
  const access = await host.access();
  const plain = [
    ...keys.map(([, value]) => Buffer.from(value, 'base64').toString()),
    access.key ?? '',
    access.token ?? '',
  ];
  // The longest line of a key is enough to know it by, whatever it is wrapped in.
  const lines = plain.flatMap((text) =>
    text.split('\n').filter((line) => line.length > 40 && !/CERTIFICATE|^LS0tLS1CRUdJTiBDRVJU/.test(line)),
  );
  const isKey = (line: string): boolean => !found.some(({ data = {} }) => isPublic(data, line));
  return [...new Set([...lines.filter(isKey), ...keys.map(([, value]) => value)])];
}

function isPublic(data: Readonly<Record<string, string>>, line: string): boolean {
  const certificates = Object.entries(data).filter(([name]) => !/key|config|token/i.test(name));
  return certificates.some(([, value]) => Buffer.from(value, 'base64').toString().includes(line));
}

/** Command lines of all processes while something runs. */
async function commandLinesDuring(work: Promise<unknown>): Promise<string> {
  const seen = new Set<string>();
  const running = { isOver: false };
  void work.finally(() => (running.isOver = true)).catch(() => undefined);
  while (!running.isOver) {
    const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
    for (const line of lines) seen.add(line.replaceAll('\0', ' '));
    await sleep(20);
  }
  return [...seen].join('\n');
}

describe.skipIf(problem !== undefined)(
  `vcluster_cluster${problem === undefined ? '' : `, skipped: ${problem}`}`,
  // Some of the tests wait for two starts of a control plane, on a machine that may be busy.
  { timeout: 600_000 },
  () => {
    beforeAll(async () => {
      process.env['VCLUSTER_HELM'] = await resolveBinary('helm', log);
      const found = await findHost(process.env['KUBECTL'] ?? (await resolveBinary('kubectl', log)), log);
      await provideImage(found, log);
      kubectl = found.kubectl;
      host = await openHost({ kubeconfig: kubectl.kubeconfig });
      await deleteCluster(host, ref, { lifecycle: 'create', timeoutMs: 120_000 });
      workspace = await Workspace.open(kubectl.kubeconfig);
    });

    afterAll(async () => {
      if (host !== undefined) await deleteCluster(host, ref, { lifecycle: 'create', timeoutMs: 120_000 });
      host?.close();
      await workspace?.[Symbol.asyncDispose]();
    });

    test('is tainted when it does not become ready, with the reason, and is made anew by the next apply', async () => {
      const broken = 'control_plane = { syncer = { image = { tag = "no-such-tag", pull_policy = "Never" } } }';
      const failed = await workspace.apply(
        hcl(ref.name, `${broken}\n deletion_protection = true\n timeouts = { create = "25s" }`),
      );
      expect(failed.exitCode, failed.text).toBe(1);
      expect(failed.text).toContain('did not become ready within');
      expect(failed.text).toContain('no-such-tag');
      expect(await stored()).toMatchObject({ tainted: true });
      const text = await settle(hcl(ref.name));
      expect(text).toContain('1 added, 0 changed, 1 destroyed');
    });

    test('is Running, and everything about it is known', async () => {
      const { values, tainted } = await stored();
      expect(tainted).toBeUndefined();
      expect(values).toMatchObject({
        id: 'clu-life/clu-life',
        endpoint: expect.stringMatching(/^https:/) as string,
        cluster_ca_certificate: expect.stringContaining('BEGIN CERTIFICATE') as string,
        kubeconfig_secret: { name: 'vc-clu-life', namespace: 'clu-life' },
        kubernetes_version_running: expect.stringMatching(/^1\.\d+\.\d+$/) as string,
        phase: 'Running',
        drift: [],
      });
      const conditions = values['conditions'] as readonly { readonly status: string }[];
      expect(conditions.map(({ status }) => status)).toEqual(['True', 'True', 'True', 'True']);
      expect(values['synced_objects']).toMatchObject({ pods: expect.any(Number) as number });
    });

    test('is updated in place: what others depend on stays known, and tenants keep their pods', async () => {
      const before = await eventually(
        'a pod of the tenant',
        async () => {
          const pods = await tenantPods();
          return pods.length === 0 ? undefined : pods;
        },
        120_000,
      );
      const config = hcl(
        ref.name,
        'logging = { level = "debug" }\n labels = { team = "a" }\n namespace_labels = { cost = "7" }',
      );
      const planned = await workspace.plan(config);
      const known = ['id', 'endpoint', 'kubernetes_version_running', 'chart_version'];
      for (const name of known) expect(planned.text).not.toMatch(new RegExp(` ${name} += "[^"]*" -> `));
      expect(planned.text).not.toMatch(/cluster_ca_certificate|kubeconfig_secret/);
      await settle(config);
      expect(await tenantPods()).toEqual(before);
      expect((await readRelease(host, ref))?.values).toMatchObject({ logging: { level: 'debug' } });
      const { metadata } = await host.get(kinds.namespaces, { name: ref.namespace });
      expect(metadata.labels).toMatchObject({ cost: '7' });
    });

    const config = hcl(
      ref.name,
      'logging = { level = "debug" }\n labels = { team = "a" }\n namespace_labels = { cost = "7" }',
    );

    test('finds what was changed outside, says it line by line, and repairs it', async () => {
      const release = { ...ref, values: { logging: { level: 'error' } }, labels: { team: 'b' } };
      await applyRelease(host, release);
      const named = { namespace: ref.namespace, name: `vc-${ref.name}` };
      await host.patch(roles, named, { rules: [] });
      await host.delete(bindings, named);
      await host.delete(kinds.secrets, named);
      await host.patch(kinds.namespaces, { name: ref.namespace }, { metadata: { labels: { cost: null } } });
      const planned = await workspace.plan(config);
      expect(planned.exitCode, planned.text).toBe(2);
      for (const line of [
        'logging.level: \\"debug\\" → \\"error\\"',
        'labels.team: \\"a\\" → \\"b\\"',
        `Role vc-${ref.name}: rules`,
        `RoleBinding vc-${ref.name} is gone`,
        'namespace clu-life: label cost: \\"7\\" → gone',
        'Secret clu-life/vc-clu-life with the kubeconfig is gone',
      ]) {
        expect(planned.text).toContain(line);
      }
      expect(planned.text).toContain('will be updated in-place');
      await settle(config);
      expect(await host.get(kinds.secrets, named)).toBeDefined();
    });

    test('finds that its release is missing, and installs it over what is there', async () => {
      const before = await tenantPods();
      const revisions = await host.list(kinds.secrets, ref.namespace, { labelSelector: `owner=helm,name=${ref.name}` });
      await Promise.all(
        revisions.map(({ metadata: { name } }) => host.delete(kinds.secrets, { namespace: ref.namespace, name })),
      );
      const planned = await workspace.plan(config);
      expect(planned.text).toContain('release clu-life is missing');
      await settle(config);
      expect(await tenantPods()).toEqual(before);
    });

    test('keeps its state when an update fails, and the next apply repairs it', async () => {
      const broken = config.replace(
        'logging =',
        'control_plane = { syncer = { image = { tag = "no-such-tag", pull_policy = "Never" } } }\n logging =',
      );
      const failed = await workspace.apply(broken.replace('labels =', 'timeouts = { update = "20s" }\n labels ='));
      expect(failed.exitCode, failed.text).toBe(1);
      expect(failed.text).toContain('no-such-tag');
      expect((await stored()).tainted).toBeUndefined();
      // Without a look at the host, too, it is known that something is left to do; with one, what.
      expect((await workspace.plan(config, ['-refresh=false'])).text).toContain(
        'the last update did not come to its end',
      );
      expect((await workspace.plan(config)).text).toContain('"not ready: ');
      await settle(config);
    });

    test('sleeps and wakes up', async () => {
      const asleep = config.replace('logging =', 'pause = true\n logging =');
      expect(await settle(asleep)).toContain('The virtual cluster will be put to sleep');
      expect((await stored()).values).toMatchObject({ phase: 'Paused', pause: true, drift: [] });
      expect(await host.list(kinds.pods, ref.namespace)).toEqual([]);
      await settle(config);
      expect((await stored()).values).toMatchObject({
        phase: 'Running',
        endpoint: expect.stringMatching(/^https:/) as string,
      });
    });

    test('holds no secret in state, plan, logs or command lines, at any level', async () => {
      const trace = { TF_LOG: 'TRACE', TF_LOG_PATH: join(workspace.folder, 'trace.log') };
      await workspace.write(config.replace('"debug"', '"info"'));
      const seen = await commandLinesDuring(workspace.run(['apply', '-auto-approve', '-input=false'], trace));
      await workspace.run(['plan', '-input=false', '-out=kept.plan'], trace);
      const kept = await readFile(join(workspace.folder, 'kept.plan'));
      const inPlan = ['tfplan', 'tfstate', 'tfstate-prev'].map((name) => unzip(kept, name).toString('latin1'));
      const places = {
        disk: (await workspace.bytes()).toString('latin1'),
        log: workspace.provider.log(),
        plan: inPlan.join('\n'),
        seen,
      };
      // The search itself must be able to find something.
      expect(places.seen).toContain('helm upgrade --install clu-life');
      expect(places.disk).toContain('clu-life/clu-life');
      expect(places.plan).toContain('clu-life');
      expect(places.log).toContain('clu-life');
      const words = await secrets();
      expect(words.length).toBeGreaterThan(4);
      for (const word of words) {
        for (const [place, text] of Object.entries(places))
          expect(text.includes(word), `a secret in ${place}`).toBe(false);
      }
    });

    test('is protected: neither destroyed nor replaced', async () => {
      const guarded = config.replace('logging =', 'deletion_protection = true\n logging =');
      const before = await stored();
      await settle(guarded);
      const moved = await workspace.plan(guarded.replace('name = "clu-life"', 'name = "clu-other"'));
      const destroyed = await workspace.destroy();
      const forced = await workspace.apply(guarded, ['-replace=vcluster_cluster.it']);
      for (const said of [moved, destroyed, forced]) {
        expect(said.exitCode, said.text).toBe(1);
        expect(said.text).toContain('Virtual cluster clu-life/clu-life is protected');
      }
      expect((await stored()).values).toMatchObject({ id: before.values['id'], phase: 'Running' });
      await settle(config);
    });

    test('is imported into a state whose next plan is empty', async () => {
      await workspace.write(config);
      expect((await workspace.run(['state', 'rm', 'vcluster_cluster.it'])).exitCode).toBe(0);
      const imported = await workspace.run(['import', 'vcluster_cluster.it', 'clu-life/clu-life']);
      expect(imported.exitCode, imported.text).toBe(0);
      await expectNoChange(config);
    });

    test('is destroyed, and nothing is left', async () => {
      const destroyed = await workspace.destroy();
      expect(destroyed.exitCode, destroyed.text).toBe(0);
      expect(await workspace.state()).toEqual({});
      expect(await leftovers(kubectl, ref.namespace)).toEqual([]);
      expect(await host.tryGet(kinds.namespaces, { name: ref.namespace })).toBeUndefined();
    });
  },
);
