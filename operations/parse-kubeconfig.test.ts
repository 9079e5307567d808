import { describe, expect, test } from 'vitest';
import { kubeconfigText } from './kubeconfig-text.ts';
import { parseKubeconfig } from './parse-kubeconfig.ts';

const parts = { name: 'team-a', server: 'https://team-a.team-a:443', ca: 'CA\n', certificate: 'CERT\n', key: 'KEY\n' };

/** Small, and larger than any memory when it is written out. */
function bomb(): string {
  const levels = Array.from(
    { length: 12 },
    (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level}, `.repeat(12)}]\n`,
  );
  return `a0: &a0 x\n${levels.join('')}clusters: []\ncurrent-context: x\n`;
}

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

  const whole = kubeconfigText({ ...parts, token: 'very-secret' });

  test.each([
    ['broken', whole.replace('token: ', 'token: "'), /neither YAML nor JSON \(line/],
    ['an alias without an anchor', whole.replace('token: ', 'token: *'), /an alias/],
    ['a bomb of aliases', bomb(), /an alias/],
    ['a number', whole.replace('token: very-secret', 'token: 000000'), /"token" must be a text/],
    [
      'no base64',
      whole.replace(/client-key-data: .*/, 'client-key-data: very-secret'),
      /"client-key-data" is not base64/,
    ],
    ['base64 that was cut', whole.replace(/(client-key-data: ...).*/, '$1'), /"client-key-data" is not base64/],
  ])('%s: an error repeats nothing of the text', (_what, text, message) => {
    expect(() => parseKubeconfig(text)).toThrow(message);
    expect(() => parseKubeconfig(text)).not.toThrow('very-secret');
  });

  test('nothing of the text is said to standard error, which Terraform logs', async () => {
    const warned: Error[] = [];
    const onWarning = (warning: Error): void => void warned.push(warning);
    process.on('warning', onWarning);
    const odd = '? { very: secret }\n: x\nother: !unknown very-secret\n';
    expect(parseKubeconfig(`${whole}${odd}`).token).toBe('very-secret');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warned).toEqual([]);
  });
});
