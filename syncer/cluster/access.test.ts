import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { kubeconfigAccess } from './access.ts';

let folder: string;
let path: string;
let nowMs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'access-'));
  path = join(folder, 'kubeconfig');
  nowMs = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(user: object, server = 'https://10.0.0.1:6443/prefix'): void {
  const name = 'one';
  writeFileSync(
    path,
    JSON.stringify({
      'current-context': name,
      contexts: [{ name, context: { cluster: name, user: name } }],
      clusters: [{ name, cluster: { server, 'certificate-authority': 'ca.crt' } }],
      users: [{ name, user }],
    }),
  );
  writeFileSync(join(folder, 'ca.crt'), 'an authority');
}

describe('kubeconfigAccess()', () => {
  test('reads files beside it, and all of it again after a minute [OPS-11, F41, F42]', () => {
    write({ tokenFile: 'token' });
    writeFileSync(join(folder, 'token'), 'first\n');
    const access = kubeconfigAccess(path, () => nowMs);
    expect([access.credentials().token, access.ca(), access.url.pathname]).toEqual([
      'first',
      'an authority',
      '/prefix',
    ]);
    writeFileSync(join(folder, 'token'), 'second');
    nowMs = 59_999;
    expect(access.credentials().token).toBe('first');
    nowMs = 60_000;
    expect(access.credentials().token).toBe('second');
    write({ token: 'third' }, 'https://10.0.0.2');
    nowMs = 120_000;
    expect([access.credentials().token, access.url.hostname]).toEqual(['third', '10.0.0.2']);
  });

  test('reread() forgets what was read', () => {
    write({ token: 'first' });
    const access = kubeconfigAccess(path, () => nowMs);
    write({ token: 'second' });
    access.reread?.();
    expect(access.credentials().token).toBe('second');
  });

  test('keeps what it has while a file cannot be read; the same object as long as it was not read again [F41]', () => {
    write({ token: 'first' });
    const access = kubeconfigAccess(path, () => nowMs);
    const before = access.credentials();
    expect(access.credentials()).toBe(before);
    writeFileSync(path, '{"clusters": [');
    nowMs = 60_000;
    expect(access.credentials()).toBe(before);
    rmSync(path);
    nowMs = 120_000;
    expect(access.credentials()).toBe(before);
  });

  test('says at once what is missing', () => {
    writeFileSync(path, JSON.stringify({ 'current-context': 'none', contexts: [] }));
    expect(() => kubeconfigAccess(path)).toThrow(/no context named "none"/);
  });
});
