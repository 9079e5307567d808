/**
 * `vcluster_cluster` that is stopped, or cut off, at each of its steps: what Terraform keeps is true, and the next command goes on
 * from there. A real Terraform against a real host API server without nodes.
 */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { kinds } from '../../operations/host.ts';
import { applyRelease, readRelease } from '../../operations/release.ts';
import { makeNamespace, startStage } from '../operations/stage.ts';
import type { Stage } from '../operations/stage.ts';
import { until } from '../support/eventually.ts';
import { clusterHcl as hcl, Workspace } from './cluster-workspace.ts';
import type { Said, Stored } from './cluster-workspace.ts';

let stage: Stage;
let folder: string;
let workspace: Workspace;

beforeAll(async () => {
  stage = await startStage('cluster-interrupted');
  folder = await mkdtemp(join(tmpdir(), 'cluster-interrupted-'));
});

afterAll(async () => {
  await stage?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  workspace = await Workspace.open(stage.plane.kubeconfigPath);
});

afterEach(async () => {
  await workspace[Symbol.asyncDispose]();
});

const refOf = (name: string): { name: string; namespace: string } => ({ name, namespace: name });

async function isThere(namespace: string): Promise<boolean> {
  return (await stage.host.tryGet(kinds.namespaces, { name: namespace })) !== undefined;
}

async function stored(): Promise<Stored | undefined> {
  return (await workspace.state())['vcluster_cluster.it'];
}

/** The provider with a helm that begins one of its commands and never ends it by itself. */
async function withHangingHelm(command: string, use: (began: () => Promise<void>) => Promise<Said>): Promise<Said> {
  const [began, wrapper] = [join(folder, `began-${command}`), join(folder, `helm-${command}`)];
  await rm(began, { force: true });
  const script = `#!/bin/sh\n[ "$1" = ${command} ] && touch ${began} && exec sleep 600\nexec ${stage.helm} "$@"\n`;
  await writeFile(wrapper, script, { mode: 0o700 });
  const config = JSON.stringify(stage.plane.kubeconfigPath);
  workspace.configureProvider(`config_path = ${config}\n helm_path = ${JSON.stringify(wrapper)}`);
  const exists = (): Promise<boolean> =>
    stat(began).then(
      () => true,
      () => false,
    );
  try {
    return await use(() => until(`helm ${command} to be at work`, exists, 50_000));
  } finally {
    workspace.configureProvider(`config_path = ${config}`);
  }
}

/** Applies, and is stopped as by Ctrl-C while helm does something. */
function stoppedDuring(command: string, config: string): Promise<Said> {
  return withHangingHelm(command, async (began) => {
    const { process, ended } = await workspace.begin(config);
    await began();
    process.kill('SIGINT');
    return ended;
  });
}

/** Lies between provider and host, and holds each answer back for a moment. */
async function slowRelay(answerDelayMs: number): Promise<{ readonly port: number; readonly cut: () => void }> {
  const { port: target, hostname } = new URL(stage.plane.url);
  const sockets = new Set<Socket>();
  const relay = createServer((socket) => {
    const upstream = connect(Number(target), hostname);
    for (const each of [socket, upstream]) {
      sockets.add(each);
      each.on('error', () => each.destroy());
    }
    const delay = new Transform({
      transform: (chunk, _, done) => void setTimeout(() => done(null, chunk), answerDelayMs),
    });
    socket.pipe(upstream).pipe(delay).pipe(socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => relay.once('listening', resolve));
  const cut = (): void => {
    relay.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (relay.address() as AddressInfo).port, cut };
}

describe('a creation', () => {
  test('whose namespace was made, but the answer lost, forgets no namespace', async () => {
    const { port, cut } = await slowRelay(200);
    const kubeconfig = join(folder, 'relayed');
    const direct = await readFile(stage.plane.kubeconfigPath, 'utf8');
    await writeFile(kubeconfig, direct.replace(stage.plane.url, `https://127.0.0.1:${port}`), { mode: 0o600 });
    workspace.configureProvider(`config_path = ${JSON.stringify(kubeconfig)}`);
    const { ended } = await workspace.begin(hcl('lost'));
    await until('the namespace', () => isThere('lost'), 50_000);
    cut();
    const said = await ended;
    expect(said.text).toContain('cannot be reached');
    expect(await stored()).toMatchObject({ tainted: true, values: { id: 'lost/lost' } });
    workspace.configureProvider(`config_path = ${JSON.stringify(stage.plane.kubeconfigPath)}`);
    await workspace.write(hcl('lost'));
    const destroyed = await workspace.destroy();
    expect(destroyed.exitCode, destroyed.text).toBe(0);
    expect(await isThere('lost')).toBe(false);
  });

  test('that is stopped while helm installs is tainted, says what that means, and is made anew', async () => {
    const said = await stoppedDuring('upgrade', hcl('installing'));
    expect(said.exitCode, said.text).toBe(1);
    expect(said.text).toContain('It was told to stop while it ran helm.');
    expect(said.text).toContain('the next apply removes it and makes it anew');
    expect(said.text).not.toContain('gone on with');
    expect(await stored()).toMatchObject({ tainted: true, values: { id: 'installing/installing' } });
    const again = await workspace.apply(hcl('installing', 'timeouts = { create = "5s" }'));
    expect(again.text).toContain('did not become ready within 5s');
    expect(await readRelease(stage.host, refOf('installing'))).toMatchObject({ status: 'deployed' });
    const destroyed = await workspace.destroy();
    expect(destroyed.exitCode, destroyed.text).toBe(0);
    expect(await isThere('installing')).toBe(false);
  });

  test('that helm does not end in time says so, and not that somebody has stopped it', async () => {
    const said = await withHangingHelm('upgrade', () => workspace.apply(hcl('late', 'timeouts = { create = "2s" }')));
    expect(said.text).toContain('Its time was up while it ran helm. Give it more time (timeouts).');
    await workspace.destroy();
  });
});

describe('one that Terraform knows', () => {
  const keep = (more = ''): string => `namespace = "known"\n namespace_lifecycle = "keep"\n ${more}`;

  beforeAll(async () => {
    await makeNamespace(stage.host, 'known');
    await applyRelease(stage.host, { ...refOf('known'), values: {} });
  });

  beforeEach(async () => {
    await workspace.write(hcl('known', keep()));
    await workspace.run(['import', 'vcluster_cluster.it', 'known/known']);
  });

  test('and whose update is stopped while helm is at work is kept, and updated by the next apply', async () => {
    const wanted = hcl('known', keep('logging = { level = "debug" }\n timeouts = { update = "5s" }'));
    const said = await stoppedDuring('upgrade', wanted);
    expect(said.text).toContain('It was told to stop while it ran helm. Apply again; what was begun is gone on with.');
    const { tainted, values } = (await stored()) ?? { values: {} };
    expect(tainted).toBeUndefined();
    expect(values).toMatchObject({ id: 'known/known', drift: ['the last update did not come to its end'] });
    const planned = await workspace.plan(wanted);
    expect(planned.text).toContain('logging.level: \\"debug\\" → none');
    const again = await workspace.apply(wanted);
    expect(again.text).toContain('did not become ready within 5s');
    expect((await readRelease(stage.host, refOf('known')))?.values).toEqual({ logging: { level: 'debug' } });
  });

  test('and whose destruction is stopped while helm is at work is kept, and destroyed by the next one', async () => {
    const said = await stoppedDuring('uninstall', '');
    expect(said.exitCode, said.text).toBe(1);
    expect(said.text).toContain('It was told to stop while it ran helm.');
    expect((await stored())?.values).toMatchObject({ id: 'known/known' });
    // It is as it was, so it is not thrown away because somebody once wanted to.
    expect((await workspace.plan(hcl('known', keep()))).text).not.toContain('must be replaced');
    const destroyed = await workspace.destroy();
    expect(destroyed.exitCode, destroyed.text).toBe(0);
    expect(await readRelease(stage.host, refOf('known'))).toBeUndefined();
    expect(await isThere('known')).toBe(true);
  });
});

test('a destruction that is held up is not forgotten: every next one says what is left, until it is gone', async () => {
  const config = hcl('stuck', 'timeouts = { create = "5s", delete = "5s" }');
  await workspace.apply(config);
  await workspace.run(['untaint', 'vcluster_cluster.it']);
  const holder = { namespace: 'stuck', name: 'holder' };
  await stage.host.create(kinds.configMaps, 'stuck', {
    metadata: { name: 'holder', finalizers: ['example.com/hold'] },
  });
  const first = await workspace.destroy();
  expect(first.exitCode, first.text).toBe(1);
  const planned = await workspace.plan(config);
  expect(planned.text).toContain('its removal has not come to its end');
  expect(planned.text).toContain('there is only: namespaces/stuck');
  expect(planned.text).toContain('must be replaced');
  const second = await workspace.destroy();
  expect(second.exitCode, second.text).toBe(1);
  expect(second.text).toContain('example.com/hold');
  await stage.host.patch(kinds.configMaps, holder, { metadata: { finalizers: null } });
  // The host looks at it again after a while of its own.
  await until('the end of the destruction', async () => (await workspace.destroy()).exitCode === 0, 50_000);
  expect(await isThere('stuck')).toBe(false);
  expect(await workspace.state()).toEqual({});
}, 120_000);
