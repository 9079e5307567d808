/** What other programs and the host say, in words for people. */
import { describe, expect, test } from 'vitest';
import { checksumIn, helmDigests } from './helm-download.ts';
import { helmWords } from './helm-words.ts';
import { isFit } from './helm.ts';
import { answerError, parseRefusal, silenceError } from './host-answers.ts';
import { masked, printable } from './mask.ts';
import { durationText } from './wait.ts';

const asked = { server: 'https://host:6443', what: 'read secrets/a in namespace "x"' };

describe('parseRefusal()', () => {
  test.each([
    [
      'secrets "a" is forbidden: User "tim" cannot get resource "secrets" in API group "" in the namespace "x"',
      { user: 'tim', verb: 'get', resource: 'secrets', namespace: 'x' },
    ],
    [
      'User "tim" cannot list resource "roles" in API group "rbac.authorization.k8s.io" in the namespace "x"',
      { user: 'tim', verb: 'list', resource: 'roles.rbac.authorization.k8s.io', namespace: 'x' },
    ],
    [
      'namespaces is forbidden: User "tim" cannot create resource "namespaces" in API group "" at the cluster scope',
      { user: 'tim', verb: 'create', resource: 'namespaces', namespace: undefined },
    ],
    [
      'User "tim" cannot get resource "pods/log" in API group "" in the namespace "x"',
      { user: 'tim', verb: 'get', resource: 'pods/log', namespace: 'x' },
    ],
  ])('%s', (message, expected) => expect(parseRefusal(message)).toEqual(expected));

  test("is no authorizer's when a quota refuses", () => {
    expect(parseRefusal('pods "a" is forbidden: exceeded quota: small')).toBeUndefined();
  });
});

test('answerError() keeps what the host said when it is no missing right', () => {
  const error = answerError(asked, 403, { reason: 'Forbidden', message: 'exceeded quota: small' });
  expect(error.message).toBe('This account may not read secrets/a in namespace "x": exceeded quota: small');
  expect(answerError(asked, 500, 'oops').message).toContain('It answered 500: oops. Try again');
});

test('silenceError() repeats no advice for people who start Node themselves', () => {
  const message =
    'unable to verify the first certificate; if the root CA is installed locally, try running Node.js with --x';
  const error = silenceError(asked, Object.assign(new Error(message), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }));
  expect(error.detail).toMatch(/^unable to verify the first certificate\. Correct the certificate authority/);
});

test('silenceError() tells refused from untrusted', () => {
  expect(silenceError(asked, Object.assign(new Error('x'), { code: 'ECONNREFUSED' })).name).toBe(
    'HostUnreachableError',
  );
  expect(silenceError(asked, Object.assign(new Error('x'), { code: 'CERT_HAS_EXPIRED' })).name).toBe(
    'HostCertificateError',
  );
});

describe('helmWords()', () => {
  test.each([
    [
      'W1123 warning\nError: INSTALLATION FAILED: execution error at (vcluster/templates/validation.yaml:4:4): The name "x" cannot be used. Choose another one.\n',
      'The name "x" cannot be used. Choose another one.',
    ],
    [
      "Error: UPGRADE FAILED: values don't meet the specifications of the schema(s) in the following chart(s):\nvcluster:\n- at '/controlPlane': additional properties 'foo' not allowed\n- at '/logging/level': value must be one of 'debug'\n",
      "controlPlane: additional properties 'foo' not allowed; logging.level: value must be one of 'debug'. Correct the values; nothing was changed.",
    ],
    [
      'Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress',
      'Another helm is working on it right now. Apply again; what was begun is gone on with.',
    ],
    [
      'Error: unable to continue with install: Service "a" in namespace "x" exists and cannot be imported into the current release: invalid ownership metadata',
      'Service "a" in namespace "x" exists already and is not of this release. Remove it, or choose another name or namespace.',
    ],
    [
      'Error: UPGRADE FAILED: release: already exists\n',
      'Another helm is working on it right now. Apply again; what was begun is gone on with.',
    ],
    [
      'Error: INSTALLATION FAILED: 2 errors occurred:\n\t* services "a-headless" is forbidden: exceeded quota: q, requested: services=1, used: services=0, limited: services=0\n\t* services "a" is forbidden: exceeded quota: q, requested: services=1\n',
      'The host refuses services "a-headless": exceeded quota: q, requested: services=1, used: services=0, limited: services=0. Raise ResourceQuota "q", or choose another namespace.',
    ],
    [
      'Error: INSTALLATION FAILED: admission webhook "images.example.com" denied the request: no image from there',
      'Webhook "images.example.com" of the host refuses it: no image from there. Change what it objects to, or ask whoever runs it.',
    ],
    [
      'Error: UPGRADE FAILED: cannot patch "data-a-0" with kind PersistentVolumeClaim: PersistentVolumeClaim "data-a-0" is invalid: spec: Forbidden: spec is immutable after creation',
      'PersistentVolumeClaim "data-a-0" cannot be changed like this while it exists: spec: Forbidden: spec is immutable after creation. Undo that change, or replace the virtual cluster.',
    ],
    [
      'Error: query: failed to query with labels: secrets is forbidden: User "tim" cannot list resource "secrets" in API group "" in the namespace "x"',
      '"tim" may not list secrets in namespace "x". Ask an administrator of the host cluster for this right, or use another kubeconfig or context.',
    ],
    ['', 'It did not say why.'],
  ])('%s', (stderr, words) => expect(helmWords(stderr)).toBe(words));
});

describe('masked()', () => {
  test.each([
    ['authorization: Bearer abcdefghijklmnop', 'abcdefghijklmnop'],
    ['{"token":"hunter2hunter2"}', 'hunter2hunter2'],
    ['dial postgres://user:hunter2@db:5432/x', 'hunter2'],
    ['-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nabc=\n-----END EC PRIVATE KEY-----', 'MHcCAQEE'],
    ['-----BEGIN PRIVATE KEY-----\nMHcCAQEE\nabc', 'abc'],
    [`key ${'a1'.repeat(32)} end`, 'a1a1a1'],
    ['eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJr.c2lnbmF0dXJl', 'eyJpc3MiOiJr'],
  ])('%s', (text, secret) => expect(masked(text)).not.toContain(secret));

  test('leaves what people need to see', () => {
    const text =
      'Image ghcr.io/cdktf-vcluster/syncer:0.1.0 of pod team-a/team-a-0: dial tcp 10.0.0.1:5000: connection refused';
    expect(masked(text)).toBe(text);
  });
});

test('printable() leaves no orders to a terminal', () => {
  expect(printable('\u001B]0;title\u0007GET /a\tb\u009B2J é')).toBe(' ]0;title GET /a b 2J é');
});

test('checksumIn() finds the one digest that is of the file', () => {
  const digest = 'ab'.repeat(32);
  expect(checksumIn(`${digest}  helm.tar.gz\n`, 'helm.tar.gz')).toBe(digest);
  expect(checksumIn(`${digest} *other.tar.gz\n`, 'helm.tar.gz')).toBeUndefined();
  expect(checksumIn(digest, 'helm.tar.gz')).toBe(digest);
  expect(checksumIn('not found', 'helm.tar.gz')).toBeUndefined();
});

test('helmDigests has another digest for every platform', () => {
  const digests = Object.values(helmDigests);
  expect(digests.filter((digest) => checksumIn(digest, '') === digest)).toHaveLength(6);
  expect(new Set(digests).size).toBe(6);
});

test('isFit() takes a 3 from 3.12 on, and no 4', () => {
  expect(['3.11.9', '3.12.0', '3.22.0', '4.0.0', ''].map(isFit)).toEqual([false, true, true, false, false]);
});

test('durationText()', () => {
  expect([0, 45_000, 90_000, 300_000].map(durationText)).toEqual(['0s', '45s', '1m30s', '5m']);
});
