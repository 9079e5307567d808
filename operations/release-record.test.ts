import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { decodeRelease, newest, ReleaseRecordError } from './release-record.ts';
import type { HostObject } from './types.ts';

const secret = (name: string, release = ''): HostObject => ({
  metadata: { name, namespace: 'a', labels: { owner: 'helm', name: 'team', version: '99' } },
  data: { release },
});

test("newest() believes Helm's own names only, whatever the labels say", () => {
  const names = ['v9', 'v10', 'v2', 'v10-x-default-x-team', 'v', 'v11a'].map((end) => `sh.helm.release.v1.team.${end}`);
  const others = ['sh.helm.release.v1.other.v99', 'sh.helm.release.v1.team-b.v99', 'forged-x-default-x-team'];
  expect(
    newest(
      'team',
      [...names, ...others].map((name) => secret(name)),
    )?.metadata.name,
  ).toBe('sh.helm.release.v1.team.v10');
  expect(
    newest(
      'team',
      others.map((name) => secret(name)),
    ),
  ).toBeUndefined();
});

test('decodeRelease() names the record that cannot be read, and repeats nothing of it', () => {
  const packed = (text: string): string => Buffer.from(gzipSync(text).toString('base64')).toString('base64');
  expect(decodeRelease(secret('r', packed('{"name":"team","version":3}')))).toMatchObject({
    name: 'team',
    revision: 3,
  });
  for (const broken of ['', 'hunter2', packed('hunter2')]) {
    const read = (): unknown => decodeRelease(secret('sh.helm.release.v1.team.v1', broken));
    expect(read).toThrow(ReleaseRecordError);
    expect(read).toThrow("Helm's record a/sh.helm.release.v1.team.v1 cannot be read: Somebody has changed this Secret");
    expect(read).not.toThrow('hunter2');
  }
});
