/** What the functions return and refuse; that Terraform can call them is shown at node level. */
import { describe, expect, test } from 'vitest';
import { kubeconfigText } from '../../operations/kubeconfig-text.ts';
import { ArgumentError } from '../framework/function.ts';
import type { FunctionType } from '../framework/function.ts';
import { hostNameFunction } from './host-name.ts';
import { kubeconfigParse } from './kubeconfig-parse.ts';
import { virtualName } from './virtual-name.ts';

function call({ definition }: FunctionType, ...args: readonly string[]): unknown {
  return (definition.run as (...given: readonly string[]) => unknown)(...args);
}

/** Which argument is blamed, and why. */
function blame(of: FunctionType, ...args: readonly string[]): { argument: number; message: string } | undefined {
  try {
    call(of, ...args);
    return undefined;
  } catch (error) {
    return error instanceof ArgumentError ? { argument: error.argument, message: error.message } : undefined;
  }
}

describe('kubeconfig_parse', () => {
  test('gives what providers take, null for what is not there', () => {
    const text = kubeconfigText({ name: 'team-a', server: 'https://x:443', ca: 'CA', token: 'T' });
    expect(call(kubeconfigParse, text)).toEqual({
      context: 'team-a',
      host: 'https://x:443',
      cluster_ca_certificate: 'CA',
      client_certificate: null,
      client_key: null,
      token: 'T',
      tls_server_name: null,
      insecure: false,
      namespace: null,
    });
  });

  test('blames its argument, without repeating it', () => {
    const found = blame(kubeconfigParse, '{"secret": "hunter2"');
    expect(found).toMatchObject({ argument: 0, message: expect.stringContaining('neither YAML nor JSON') });
    expect(found?.message).not.toContain('hunter2');
  });
});

describe('host_name', () => {
  test('is the rule of the syncer [VEC-01, VEC-02]', () => {
    expect(call(hostNameFunction, 'nginx', 'default', 'vc1')).toBe('nginx-x-default-x-vc1');
    expect(call(hostNameFunction, 'a'.repeat(40), 'default', 'my-vcluster')).toBe(
      `${'a'.repeat(40)}-x-default-x-7799225210`,
    );
  });

  test.each([
    [['Web', 'default', 'vc1'], 0],
    [['web', 'a.b', 'vc1'], 1],
    [['web', 'default', 'VC'], 2],
  ])('%j blames argument %d', (args, argument) => {
    expect(blame(hostNameFunction, ...args)).toMatchObject({ argument });
  });
});

describe('virtual_name', () => {
  test('is its reverse', () => {
    const object = { name: 'web-0', namespace: 'default', cluster: 'team-a' };
    expect(call(virtualName, 'web-0-x-default-x-team-a')).toEqual(object);
  });

  test.each([
    [`${'a'.repeat(40)}-x-default-x-7799225210`, 'a digest cannot be undone; look at the annotations'],
    ['a-x-b-x-c-x-vc1', '"a-x-b" in namespace "c" of "vc1"; look at the annotations'],
    ['web', 'must be a name of the form'],
  ])('%s says what to do instead', (name, message) => {
    expect(blame(virtualName, name)).toMatchObject({ argument: 0, message: expect.stringContaining(message) });
  });
});
