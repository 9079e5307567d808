import { describe, expect, test } from 'vitest';
import { kubeconfigText } from './kubeconfig-text.ts';
import { parseKubeconfig } from './parse-kubeconfig.ts';

const parts = { name: 'team-a', server: 'https://team-a.team-a:443', ca: 'CA\n', certificate: 'CERT\n', key: 'KEY\n' };

describe('parseKubeconfig()', () => {
  test('reads what kubeconfigText() writes', () => {
    expect(parseKubeconfig(kubeconfigText({ ...parts, serverName: 'x', token: 't', namespace: 'n' }))).toEqual({
      context: 'team-a',
      server: parts.server,
      certificateAuthority: 'CA\n',
      serverName: 'x',
      insecure: false,
      certificate: 'CERT\n',
      key: 'KEY\n',
      token: 't',
      namespace: 'n',
    });
  });

  test('takes the current context of several, as JSON too', () => {
    const two = {
      'current-context': 'b',
      contexts: [
        { name: 'a', context: { cluster: 'a', user: 'a' } },
        { name: 'b', context: { cluster: 'b', user: 'a' } },
      ],
      clusters: [
        { name: 'a', cluster: { server: 'https://a' } },
        { name: 'b', cluster: { server: 'https://b', 'insecure-skip-tls-verify': true } },
      ],
      users: [{ name: 'a', user: {} }],
    };
    expect(parseKubeconfig(JSON.stringify(two))).toMatchObject({
      server: 'https://b',
      insecure: true,
      token: undefined,
    });
  });

  test.each([
    ['', 'this is not a kubeconfig: it has neither "clusters" nor "contexts"'],
    ['[1]', 'this is not a kubeconfig: it has neither "clusters" nor "contexts"'],
    ['a: "secret\nb: {', 'it is neither YAML nor JSON (line'],
    ['clusters: []', 'it has no "current-context"'],
    ['current-context: x\ncontexts: [{name: y}]', 'it has no "x" among its contexts (y)'],
    [
      'current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {}}]\nusers: [{name: u}]',
      'cluster "c" has no "server"',
    ],
    [
      'current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {server: s, certificate-authority: /ca.crt}}]\nusers: [{name: u}]',
      'flatten',
    ],
  ])('%j: what is wrong', (text, message) => {
    expect(() => parseKubeconfig(text)).toThrow(message);
  });

  test('an error repeats nothing of the text', () => {
    const broken = kubeconfigText({ ...parts, token: 'very-secret' }).replace('token: ', 'token: "');
    expect(() => parseKubeconfig(broken)).toThrow(/^(?!.*very-secret)/su);
  });
});
