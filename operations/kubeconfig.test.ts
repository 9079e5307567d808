import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { KubeconfigError, readAccess, readHostAccess, WrongContextError } from './kubeconfig.ts';
import { proxyProblem } from './proxy.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-test-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Parts {
  readonly current?: string;
  readonly server?: string;
  readonly name?: string;
  readonly cluster?: object;
  readonly user?: object;
}

/** A kubeconfig with one of each, all called `name`. */
function write(
  path: string,
  { current, name = 'a', server = `https://${name}:6443`, cluster = {}, user = {} }: Parts,
): string {
  const file = join(folder, path);
  mkdirSync(join(file, '..'), { recursive: true });
  const content = {
    ...(current !== undefined && { 'current-context': current }),
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server, ...cluster } }],
    users: [{ name, user }],
  };
  writeFileSync(file, JSON.stringify(content));
  return file;
}

describe('readHostAccess()', () => {
  test('merges several files: the first current context counts, the first entry of a name wins, missing files are skipped', async () => {
    const one = write('merge/one', { name: 'a', server: 'https://first:1', user: { token: 'one' } });
    const two = write('merge/two', { name: 'b', current: 'b', user: { token: 'two' } });
    const three = write('merge/three', {
      name: 'a',
      current: 'a',
      server: 'https://second:1',
      user: { token: 'three' },
    });
    const kubeconfig = [join(folder, 'none'), one, two, three];
    expect(await readHostAccess({ kubeconfig })).toMatchObject({ token: 'two' });
    expect((await readHostAccess({ kubeconfig, context: 'a' })).server.host).toBe('first:1');
    vi.stubEnv('KUBECONFIG', kubeconfig.join(delimiter));
    expect(await readHostAccess({ context: 'a' })).toMatchObject({ token: 'one' });
    vi.unstubAllEnvs();
  });

  test('resolves paths relative to the file that names them; a token file wins over a token and is read anew', async () => {
    writeFileSync(join(folder, 'ca.crt'), 'CA');
    mkdirSync(join(folder, 'relative'));
    writeFileSync(join(folder, 'relative/token'), 'from-file\n');
    const kubeconfig = write('relative/config', {
      current: 'a',
      cluster: { 'certificate-authority': '../ca.crt', 'tls-server-name': 'other', 'insecure-skip-tls-verify': true },
      user: { tokenFile: 'token', token: 'inline', 'client-key-data': Buffer.from('KEY').toString('base64') },
    });
    expect(await readHostAccess({ kubeconfig })).toMatchObject({
      ca: 'CA',
      serverName: 'other',
      insecure: true,
      token: 'from-file',
      key: 'KEY',
    });
    const { credentials } = readAccess({ kubeconfig });
    await credentials();
    writeFileSync(join(folder, 'relative/token'), 'renewed');
    expect(await credentials()).toMatchObject({ token: 'from-file' });
    expect(await credentials(true)).toMatchObject({ token: 'renewed' });
  });

  test('names the contexts there are when the wanted one is not, and says when none was chosen', () => {
    const kubeconfig = write('context', { name: 'a' });
    expect(() => readAccess({ kubeconfig, context: 'b' })).toThrow(WrongContextError);
    expect(() => readAccess({ kubeconfig, context: 'b' })).toThrow(
      /has no "b" among its contexts: a\. Choose one of them \(config_context/,
    );
    expect(() => readAccess({ kubeconfig })).toThrow(/has no current context and none was chosen: a\./);
  });

  test.each([
    [{ cluster: { 'proxy-url': 'socks5://me:secret@p:1' } }, 'a proxy (proxy-url) that is none for HTTP'],
    [{ user: { 'auth-provider': { name: 'gcp' } } }, 'an auth-provider'],
    [{ user: { username: 'admin', password: 'secret' } }, 'a password'],
    [{ user: { as: 'somebody' } }, 'impersonation'],
    [{ server: 'https://:::' }, 'is no URL'],
    [{ user: { exec: { args: ['secret'] } } }, 'without a command'],
  ])('refuses %j with words, and repeats no secret', (parts, words) => {
    const kubeconfig = write('refused', { current: 'a', ...parts });
    expect(() => readAccess({ kubeconfig })).toThrow(words);
    expect(() => readAccess({ kubeconfig })).not.toThrow('secret');
  });

  test('takes a proxy of the kubeconfig, and refuses one that it would go past', () => {
    const kubeconfig = write('proxy', { current: 'a', cluster: { 'proxy-url': 'http://me:secret@p:3128' } });
    expect(readAccess({ kubeconfig }).endpoint.proxy).toBe('http://me:secret@p:3128');
    const fit = (node: string): boolean => proxyProblem('http://p:3128', node) === undefined;
    expect(['22.20.1', '22.21.0', '23.11.0', '24.4.1', '24.5.0', '26.1.0'].map(fit)).toEqual([
      false,
      true,
      false,
      false,
      true,
      true,
    ]);
  });

  test('passes by what is no entry', () => {
    const kubeconfig = join(folder, 'odd');
    const clusters = [null, 'x', { name: 'a', cluster: { server: 'h' } }];
    const contexts = [
      { name: 'a', context: { cluster: 'a', user: 'a' } },
      { name: 'b', context: 'x' },
    ];
    writeFileSync(kubeconfig, JSON.stringify({ clusters, contexts, users: [{ name: 'a', user: null }] }));
    expect(readAccess({ kubeconfig, context: 'a' }).endpoint.server.href).toBe('https://h/');
    expect(() => readAccess({ kubeconfig, context: 'b' })).toThrow('has no "" among its clusters: a.');
  });

  test('never quotes a file that is no YAML', () => {
    const file = join(folder, 'broken');
    writeFileSync(file, 'token: "hunter2\n  key: [');
    expect(() => readAccess({ kubeconfig: file })).toThrow(KubeconfigError);
    expect(() => readAccess({ kubeconfig: file })).not.toThrow('hunter2');
    expect(() => readAccess({ kubeconfig: join(folder, 'none') })).toThrow(/There is no kubeconfig at .*none\./);
  });
});

describe('a credential plugin', () => {
  const script = (text: string): string => {
    const file = join(folder, `plugin-${Math.random()}`);
    writeFileSync(file, `#!/bin/sh\n${text}`, { mode: 0o700 });
    return file;
  };
  const access = (text: string): ReturnType<typeof readAccess> =>
    readAccess({ explicit: { server: 'host:6443', ca: 'CA', exec: { command: script(text), env: { WHO: 'me' } } } });

  test('is told about the cluster and asked again when what it gave expires', async () => {
    const count = join(folder, 'count');
    const text = `echo x >> ${count}; case "$KUBERNETES_EXEC_INFO" in *https://host:6443*) ;; *) exit 3;; esac
      echo "{\\"status\\":{\\"token\\":\\"$WHO-$(grep -c x ${count})\\",\\"expirationTimestamp\\":\\"2020-01-01T00:00:00Z\\"}}"`;
    const { credentials } = access(text);
    expect(await credentials()).toMatchObject({ token: 'me-1' });
    expect(await credentials()).toMatchObject({ token: 'me-2' });
  });

  test('runs once for all who ask at the same time, also when the host has refused what it gave', async () => {
    const count = join(folder, 'runs');
    const { credentials } = access(
      `echo x >> ${count}; echo "{\\"status\\":{\\"token\\":\\"t-$(grep -c x ${count})\\"}}"`,
    );
    const tokens = async (again: boolean): Promise<readonly unknown[]> =>
      (await Promise.all([1, 2, 3].map(() => credentials(again)))).map(({ token }) => token);
    expect(await tokens(false)).toEqual(['t-1', 't-1', 't-1']);
    expect(await tokens(true)).toEqual(['t-2', 't-2', 't-2']);
    expect(await tokens(false)).toEqual(['t-2', 't-2', 't-2']);
  });

  test('that fails, is missing or prints something else says what to do, and no secret', async () => {
    await expect(access('echo "token=abcdefghijkl" >&2; exit 7').credentials()).rejects.toThrow(
      /ended with code 7: token=\[hidden\]\. Log in again/,
    );
    await expect(access('echo hello').credentials()).rejects.toThrow(/printed no credential/);
    const exec = { command: '/none/such', installHint: 'Get it from the shop.' };
    await expect(readAccess({ explicit: { server: 'h', exec } }).credentials()).rejects.toThrow(
      /is not installed\. Get it from the shop\./,
    );
  });
});
