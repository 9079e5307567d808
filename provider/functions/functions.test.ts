/** What the functions return and refuse; that Terraform can call them is shown at node level. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostNameLengthMax } from '../../config/host-names.ts';
import type { VirtualName } from '../../config/host-names.ts';
import { kubeconfigText } from '../../operations/kubeconfig-text.ts';
import { configMaps } from '../../syncer/model/kubernetes.ts';
import type { ConfigMap } from '../../syncer/model/kubernetes.ts';
import type { Virtual } from '../../syncer/model/side.ts';
import type { View } from '../../syncer/model/view.ts';
import { onHost, originOf } from '../../syncer/translate/metadata.ts';
import { ArgumentError } from '../framework/function.ts';
import type { FunctionType } from '../framework/function.ts';
import { hostNameFunction } from './host-name.ts';
import { kubeconfigParse } from './kubeconfig-parse.ts';
import { virtualName } from './virtual-name.ts';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/u);
const clusterName = fc.stringMatching(/^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$/u);
const subdomain = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));

/** As much of the syncer's view as names depend on. */
function viewOf(cluster: string): View {
  return {
    release: { name: cluster, namespace: 'tenants', service: { uid: 'u', clusterIPs: [] }, storeEpoch: 0 },
  } as unknown as View;
}

function words(object: VirtualName): string {
  return `"${object.name}" in namespace "${object.namespace}" of "${object.cluster}"`;
}

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

  test('is the name that the syncer gives, by which it knows the object again', () => {
    const asTheSyncer = (name: string, namespace: string, cluster: string): void => {
      const view = viewOf(cluster);
      const virtual = { metadata: { name, namespace } } as Virtual<ConfigMap>;
      const host = onHost(virtual, configMaps, view, {});
      expect(call(hostNameFunction, name, namespace, cluster)).toBe(host.metadata.name);
      expect(originOf(host, configMaps, view.release)).toEqual({ name, namespace });
    };
    fc.assert(fc.property(subdomain, label, clusterName, asTheSyncer));
  });

  test.each([
    [63, 'n'.repeat(63 - '-x-default-x-vc1'.length)],
    [64, 'n'.repeat(64 - '-x-default-x-vc1'.length)],
    [253, 'n.'.repeat(126) + 'n'],
  ])('a joined name of %d characters or more has at most 63, and is whole as long as it can be', (length, name) => {
    const made = call(hostNameFunction, name, 'default', 'vc1');
    expect(String(made).length).toBeLessThanOrEqual(hostNameLengthMax);
    expect(made === `${name}-x-default-x-vc1`).toBe(length <= hostNameLengthMax);
  });

  test.each([
    [['Web', 'default', 'vc1'], 0],
    [['', 'default', 'vc1'], 0],
    [['a..b', 'default', 'vc1'], 0],
    [['n'.repeat(254), 'default', 'vc1'], 0],
    [['web\n', 'default', 'vc1'], 0],
    [['wéb', 'default', 'vc1'], 0],
    [['web', 'a.b', 'vc1'], 1],
    [['web', '', 'vc1'], 1],
    [['web', 'n'.repeat(64), 'vc1'], 1],
    [['web', 'default', 'VC'], 2],
    [['web', 'default', '0'], 2],
    [['web', 'default', 'v'.repeat(53)], 2],
    [['web', 'default', 'vc1\u0000'], 2],
  ])('%j blames argument %d', (args, argument) => {
    expect(blame(hostNameFunction, ...args)).toMatchObject({
      argument,
      message: expect.stringMatching(/^it must be /),
    });
  });
});

describe('virtual_name', () => {
  test('is its reverse', () => {
    const object = { name: 'web-0', namespace: 'default', cluster: 'team-a' };
    expect(call(virtualName, 'web-0-x-default-x-team-a')).toEqual(object);
  });

  test('of whatever host_name makes tells the object, or that it can be this one among others, or that it was cut', () => {
    const roundTrip = (name: string, namespace: string, cluster: string): void => {
      const made = String(call(hostNameFunction, name, namespace, cluster));
      const answer = blame(virtualName, made)?.message ?? words(call(virtualName, made) as VirtualName);
      const mayBeCut = made.length >= hostNameLengthMax - 1;
      const isTold = answer.includes(words({ name, namespace, cluster }));
      expect(isTold || (mayBeCut && answer.includes('was shortened')), answer).toBe(true);
    };
    fc.assert(fc.property(subdomain, label, clusterName, roundTrip));
  });

  test('of anything else says so, in few words', () => {
    const anything = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('-x-'.repeat(100_000)));
    const refused = (text: string): void => {
      const { message = '' } = blame(virtualName, text) ?? {};
      expect(message).toMatch(/^it must be a name of the form/);
      expect(message.length).toBeLessThan(1000);
    };
    fc.assert(
      fc.property(
        anything.filter((text) => !/-x-.+-x-/.test(text.slice(0, 63))),
        refused,
      ),
    );
    refused('-x-'.repeat(100_000));
  });

  test.each([
    [`${'a'.repeat(40)}-x-default-x-7799225210`, 'a digest cannot be undone; look at the annotations'],
    ['a-x-b-x-c-x-vc1', '"a-x-b" in namespace "c" of "vc1"; look at the annotations'],
    ['web', 'must be a name of the form'],
  ])('%s says what to do instead', (name, message) => {
    expect(blame(virtualName, name)).toMatchObject({ argument: 0, message: expect.stringContaining(message) });
  });
});
