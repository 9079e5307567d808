/** Releases on a real host API server with the real helm: install, upgrade, read, what an interrupted helm leaves, remove. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { AbortedError } from '../../operations/errors.ts';
import { HelmError } from '../../operations/helm.ts';
import { kinds } from '../../operations/host.ts';
import { applyRelease, readRelease, uninstallRelease } from '../../operations/release.ts';
import type { ReleaseStatus } from '../../operations/release.ts';
import { waitUntilReady } from '../../operations/wait.ts';
import { until } from '../support/eventually.ts';
import { failureOf, installForeign, makeNamespace, startStage } from './stage.ts';
import type { Stage } from './stage.ts';

const chart = join(import.meta.dirname, '../../chart');
let stage: Stage;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-'));
  stage = await startStage('release');
});

afterAll(async () => {
  await stage?.stop();
  await rm(folder, { recursive: true, force: true });
});

const refOf = (name: string): { name: string; namespace: string } => ({ name, namespace: name });

/** Runs helm as a user would, and kills it as soon as it has written down what it is about to do. */
async function interruptedHelm(name: string, verb: 'install' | 'upgrade', values: object): Promise<void> {
  const { helm, plane } = stage;
  // Without nodes its wait has no end: it never comes to write that it is done.
  const args = [verb, name, chart, '--kubeconfig', plane.kubeconfigPath, '-n', name, '-f', '-', '--wait'];
  const child = spawn(helm, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.end(JSON.stringify(values));
  const ended = once(child, 'exit');
  try {
    await until('helm to be at work', async () => (await statusOf(name)) === `pending-${verb}`);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

/** A helm that writes down what it is about to do and is never done: without nodes, what it is told to wait for does not come. */
async function endlessHelm(): Promise<string> {
  const wrapper = join(folder, 'helm');
  const script = `#!/bin/sh\n[ "$1" = upgrade ] && exec ${stage.helm} "$@" --wait\nexec ${stage.helm} "$@"\n`;
  await writeFile(wrapper, script, { mode: 0o700 });
  return wrapper;
}

async function statusOf(name: string): Promise<ReleaseStatus | undefined> {
  return (await readRelease(stage.host, refOf(name)))?.status;
}

describe('a release', () => {
  const ref = refOf('life');

  test('is installed, read, upgraded and removed; again changes nothing that matters', async () => {
    const { host } = stage;
    await makeNamespace(host, ref.name);
    expect(await readRelease(host, ref)).toBeUndefined();
    const installed = await applyRelease(host, {
      ...ref,
      values: { logging: { level: 'debug' } },
      labels: { team: 'a' },
    });
    expect(installed).toMatchObject({ status: 'deployed', revision: 1, chart: { name: 'vcluster', version: '0.1.0' } });
    expect(installed.values).toEqual({
      logging: { level: 'debug' },
      controlPlane: { statefulSet: { labels: { team: 'a' } } },
    });
    const { metadata } = await host.get(kinds.statefulSets, ref);
    expect(metadata.labels).toMatchObject({ app: 'vcluster', release: 'life', team: 'a' });
    const upgraded = await applyRelease(host, { ...ref, values: {} });
    expect(upgraded).toMatchObject({ status: 'deployed', revision: 2, values: {} });
    expect((await host.get(kinds.statefulSets, ref)).metadata.labels).not.toHaveProperty('team');
    await uninstallRelease(host, ref);
    expect(await readRelease(host, ref)).toBeUndefined();
    await uninstallRelease(host, ref);
  });

  test('is not made from values that the chart refuses, and the words name the path', async () => {
    const values = { controlPlane: { statefulset: {} } };
    const error = await failureOf(applyRelease(stage.host, { ...ref, values }));
    expect(error).toBeInstanceOf(HelmError);
    expect(error.message).toMatch(/^Virtual cluster life cannot be installed in namespace "life": /);
    expect(error.message).toContain('statefulset');
    expect(error.message).toContain('nothing was changed');
    expect(error.message).not.toContain('values don');
    expect(await statusOf('life')).toBeUndefined();
  });

  test('tells what the host says about rights, a missing namespace and a field that is fixed', async () => {
    const { host } = stage;
    const missing = await failureOf(applyRelease(host, { name: 'none', namespace: 'none', values: {} }));
    expect(missing.message).toContain('Namespace "none" does not exist.');
    await applyRelease(host, { ...ref, values: {} });
    const values = { controlPlane: { statefulSet: { persistence: { volumeClaim: { size: '9Gi' } } } } };
    const fixed = await failureOf(applyRelease(host, { ...ref, values }));
    expect(fixed.message).toMatch(/"(data-)?life(-0)?" cannot be changed like this while it exists/);
    expect(await statusOf('life')).toBe('failed');
    // A failed revision is upgraded over.
    expect(await applyRelease(host, { ...ref, values: {} })).toMatchObject({ status: 'deployed' });
  });
});

describe('a helm that was killed', () => {
  test('in an installation leaves it pending, and it is finished without losing its volume', async () => {
    const { host } = stage;
    await makeNamespace(host, 'killed');
    await interruptedHelm('killed', 'install', {});
    expect(await statusOf('killed')).toBe('pending-install');
    const said: string[] = [];
    const options = { pendingPatienceMs: 0, log: (line: string) => void said.push(line) };
    expect(await applyRelease(host, { ...refOf('killed'), values: {} }, options)).toMatchObject({ status: 'deployed' });
    expect(said.join('\n')).toContain('helm was interrupted at revision');
    const names = (await host.list(kinds.services, 'killed')).map(({ metadata }) => metadata.name);
    expect(names).toEqual(['killed', 'killed-headless']);
  });

  test('in an upgrade leaves it pending, and it is finished; the volume is the same one', async () => {
    const { host } = stage;
    const claim = { namespace: 'killed', name: 'data-killed-0' };
    const before = await host.get(kinds.persistentVolumeClaims, claim);
    await interruptedHelm('killed', 'upgrade', { logging: { level: 'debug' } });
    expect(await statusOf('killed')).toBe('pending-upgrade');
    const wanted = { ...refOf('killed'), values: { logging: { level: 'warn' } } };
    expect(await applyRelease(host, wanted, { pendingPatienceMs: 0 })).toMatchObject({
      status: 'deployed',
      values: { logging: { level: 'warn' } },
    });
    expect((await host.get(kinds.persistentVolumeClaims, claim)).metadata.uid).toBe(before.metadata.uid);
  });

  test('is waited for as long as it may still be at work', async () => {
    const { host, helm, plane } = stage;
    await makeNamespace(host, 'other');
    // Its pod never becomes ready here, so this helm stays at work until it is killed.
    const args = ['install', 'other', chart, '--kubeconfig', plane.kubeconfigPath, '-n', 'other', '--wait'];
    const child = spawn(helm, args, { stdio: 'ignore' });
    try {
      await until('helm to be at work', async () => (await statusOf('other')) === 'pending-install');
      const abort = new AbortController();
      const said: string[] = [];
      const log = (line: string): void => {
        said.push(line);
        abort.abort();
      };
      const waiting = applyRelease(host, { ...refOf('other'), values: {} }, { signal: abort.signal, log });
      expect(await failureOf(waiting)).toBeInstanceOf(AbortedError);
      expect(said).toEqual([expect.stringContaining('looking whether another helm is at work')]);
      expect(await statusOf('other')).toBe('pending-install');
    } finally {
      child.kill('SIGKILL');
    }
  });
});

test('an interrupted operation ends with AbortedError, and the next one repairs what it left', async () => {
  const { host } = stage;
  await makeNamespace(host, 'stopped');
  const abort = new AbortController();
  const options = { signal: abort.signal, helm: await endlessHelm() };
  const applying = failureOf(applyRelease(host, { ...refOf('stopped'), values: {} }, options));
  await until('helm to have begun', async () => (await statusOf('stopped')) !== undefined);
  abort.abort();
  expect(await applying).toBeInstanceOf(AbortedError);
  const repaired = await applyRelease(host, { ...refOf('stopped'), values: {} }, { pendingPatienceMs: 0 });
  expect(repaired.status).toBe('deployed');
});

test("a Secret that only has the labels of Helm's records is not believed", async () => {
  const { host } = stage;
  await makeNamespace(host, 'forged');
  await applyRelease(host, { ...refOf('forged'), values: { logging: { level: 'debug' } } });
  const labels = { owner: 'helm', name: 'forged', version: '99', status: 'uninstalling' };
  await host.create(kinds.secrets, 'forged', { metadata: { name: 'mine-x-default-x-forged', labels } });
  expect(await readRelease(host, refOf('forged'))).toMatchObject({ revision: 1, status: 'deployed' });
});

test('a release of another chart is neither upgraded nor taken for ours', async () => {
  const { host } = stage;
  await makeNamespace(host, 'foreign');
  const foreign = await installForeign(stage, 'foreign');
  const error = await failureOf(applyRelease(host, { ...refOf('foreign'), values: {} }));
  expect(error.message).toMatch(/^Name "foreign" is taken in namespace "foreign": /);
  expect((await failureOf(applyRelease(host, { ...refOf('foreign'), values: {}, chart: foreign }))).message).toContain(
    'not the one of this project',
  );
  expect(await readRelease(host, refOf('foreign'))).toMatchObject({ revision: 1 });
});

test('waitUntilReady() outlives a restart of the host API server', async () => {
  const { host, plane } = stage;
  await makeNamespace(host, 'patient');
  await applyRelease(host, { ...refOf('patient'), values: {} });
  const abort = new AbortController();
  using looks = vi.spyOn(host, 'list');
  const waiting = failureOf(waitUntilReady(host, refOf('patient'), { signal: abort.signal }));
  // A host that was never seen is not waited for; a second look comes after the answer to the first.
  await until('a second look', () => Promise.resolve(looks.mock.calls.length > 1));
  await plane.stop('kube-apiserver', 'SIGKILL');
  // That takes longer than it lets pass between two looks.
  await plane.start('kube-apiserver');
  await plane.waitReady();
  abort.abort();
  expect(await waiting).toBeInstanceOf(AbortedError);
});
