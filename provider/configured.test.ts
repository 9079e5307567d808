/** Which host a configuration and an environment mean, and which configurations are refused. */
import { delimiter } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configure, hostChoice, providerAttributes, validateConfig } from './configured.ts';
import { validate } from './framework/validate.ts';
import { UNKNOWN, type ValueRecord } from './framework/values.ts';

const nothing: ValueRecord = Object.fromEntries(Object.keys(providerAttributes).map((name) => [name, null]));
const config = (values: ValueRecord): ValueRecord => ({ ...nothing, ...values });
const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
const key = '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n';

describe('hostChoice()', () => {
  const everything = { KUBE_CONFIG_PATHS: `/c${delimiter}/d`, KUBE_CONFIG_PATH: '/e', KUBE_CTX: 'env' };
  test.each<[string, ValueRecord, Record<string, string>, object]>([
    ['host alone', { host: 'https://h' }, everything, { explicit: { server: 'https://h' } }],
    ['config_paths', { config_paths: ['/a', '/b'] }, everything, { kubeconfig: ['/a', '/b'], context: 'env' }],
    ['config_path', { config_path: '/a', config_context: 'own' }, everything, { kubeconfig: ['/a'], context: 'own' }],
    ['no paths for nothing said', { config_paths: [null] }, { KUBE_CONFIG_PATH: '/e' }, { kubeconfig: '/e' }],
    ['KUBE_CONFIG_PATHS', {}, everything, { kubeconfig: ['/c', '/d'], context: 'env' }],
    ['KUBE_CONFIG_PATH', {}, { KUBE_CONFIG_PATH: '/e' }, { kubeconfig: '/e', context: undefined }],
    ['nothing, which leaves KUBECONFIG and the rest to operations/', {}, { KUBE_CTX: '' }, {}],
  ])('takes %s', (_, values, env, expected) => {
    const choice = hostChoice(config(values), env);
    expect(choice).toMatchObject({ ...(!('explicit' in expected) && { kubeconfig: undefined }), ...expected });
    expect('explicit' in choice).toBe('explicit' in expected);
  });

  test('hands on every word of an explicit host', () => {
    const values = config({
      host: 'h',
      cluster_ca_certificate: 'ca',
      tls_server_name: 'n',
      insecure: false,
      exec: { api_version: null, command: 'c', args: null, env: { A: 'b' } },
    });
    expect(hostChoice(values, {})).toEqual({
      explicit: {
        server: 'h',
        ca: 'ca',
        certificate: undefined,
        key: undefined,
        token: undefined,
        insecure: false,
        serverName: 'n',
        exec: { apiVersion: undefined, command: 'c', args: [], env: { A: 'b' } },
      },
    });
  });
});

describe('the configuration', () => {
  test.each<[string, ValueRecord, string]>([
    ['a file and a host', { host: 'h', config_path: '/a' }, '`host` and `config_path` say twice'],
    ['a context and a host', { host: 'h', config_context: 'c' }, '`host` and `config_context` say twice'],
    ['two ways to name files', { config_path: '/a', config_paths: ['/b'] }, '`config_path` and `config_paths`'],
    ['a token without a host', { token: 't' }, '`token` goes with `host` only'],
    ['a certificate without its key', { host: 'h', client_certificate: pem }, 'of no use without `client_key`'],
    ['a key without its certificate', { host: 'h', client_key: key }, 'of no use without `client_certificate`'],
    ['two identities', { host: 'h', token: 't', client_certificate: pem, client_key: key }, 'say twice who you are'],
    ['a certificate that is not used', { host: 'h', insecure: true, cluster_ca_certificate: pem }, 'leave'],
    ['a path instead of a key', { host: 'h', client_certificate: pem, client_key: '/a/key.pem' }, 'as PEM text'],
    ['an empty path', { config_path: ' ' }, 'given, or left out'],
  ])('that names %s is refused', (_, values, words) => {
    const found = validate(providerAttributes, config(values), validateConfig);
    expect(found.map(({ detail }) => detail).join('\n')).toContain(words);
    expect(found.every(({ path }) => path !== undefined)).toBe(true);
    expect(JSON.stringify(found)).not.toContain('/a/key.pem');
  });

  test.each<[string, ValueRecord]>([
    ['nothing', {}],
    ['a file and a context', { config_path: '/a', config_context: 'c' }],
    ['a host with certificates', { host: 'h', cluster_ca_certificate: pem, client_certificate: pem, client_key: key }],
    ['a host with values that are not known yet', { host: UNKNOWN, token: UNKNOWN, cluster_ca_certificate: UNKNOWN }],
    [
      'every way in of an ephemeral kubeconfig',
      { host: 'h', token: UNKNOWN, client_certificate: UNKNOWN, client_key: key },
    ],
    ['what may not be given in the end', { config_path: '/a', host: UNKNOWN, token: UNKNOWN }],
  ])('that names %s is fine', (_, values) => {
    expect(validate(providerAttributes, config(values), validateConfig)).toEqual([]);
  });
});

describe('configure()', () => {
  test('tolerates what is unknown until the host is asked for, and names it then', async () => {
    const configured = configure(config({ host: UNKNOWN, token: 'known-token' }));
    await expect(configured.host()).rejects.toThrow(
      '`host` will be known only after other resources have been applied',
    );
    await expect(configured.host()).rejects.not.toThrow('known-token');
    await configured.close();
  });

  test('refuses what turned out to contradict itself', async () => {
    const configured = configure(config({ host: 'h', token: 't', client_certificate: pem, client_key: key }));
    await expect(configured.host()).rejects.toThrow('say twice who you are');
  });

  test('opens the host once, when it is asked for', async () => {
    const configured = configure(config({ host: 'https://127.0.0.1:1', token: 't' }));
    expect(await configured.host()).toBe(await configured.host());
    await configured.close();
  });

  test('does not keep a failure', async () => {
    const configured = configure(config({ config_path: '/nowhere/kubeconfig' }));
    const first = await configured.host().catch((error: unknown) => error);
    const second = await configured.host().catch((error: unknown) => error);
    expect(first).toBeInstanceOf(Error);
    expect(second).not.toBe(first);
  });
});
