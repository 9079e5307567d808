/** What is agreed before any RPC: the environment one way, one line the other way. */
import { describe, expect, test } from 'vitest';
import { handshakeLine, HandshakeError, reattachValue, termsOf } from './handshake.ts';

const cookie = { TF_PLUGIN_MAGIC_COOKIE: 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2' };

describe('termsOf()', () => {
  test.each([{}, { TF_PLUGIN_MAGIC_COOKIE: 'other' }])('tells a person who starts it by hand what to do: %j', (env) => {
    expect(() => termsOf(env)).toThrow(HandshakeError);
    expect(() => termsOf(env)).toThrow(/required_providers[^]*terraform init|terraform init[^]*required_providers/);
    expect(() => termsOf(env)).toThrow(/--debug/);
  });

  test.each([[undefined], ['6'], ['5,6'], ['6, 7']])('takes the versions %s', (versions) => {
    expect(termsOf({ ...cookie, PLUGIN_PROTOCOL_VERSIONS: versions })).toEqual({
      clientCertificate: undefined,
      socketFolder: undefined,
    });
  });

  test.each([
    ['5', '5'],
    ['4,5', '4 and 5'],
    ['16', '16'],
  ])('refuses the versions %s and says what to use', (versions, said) => {
    const terms = (): unknown => termsOf({ ...cookie, PLUGIN_PROTOCOL_VERSIONS: versions });
    expect(terms).toThrow(
      `speaks version 6 of Terraform's plugin protocol, but ${said} was asked for. Use Terraform 1.11`,
    );
  });

  test('takes certificate and folder; empty ones are none', () => {
    const env = { ...cookie, PLUGIN_CLIENT_CERT: 'PEM', PLUGIN_UNIX_SOCKET_DIR: '/run/x' };
    expect(termsOf(env)).toEqual({ clientCertificate: 'PEM', socketFolder: '/run/x' });
    expect(termsOf({ ...env, PLUGIN_CLIENT_CERT: '' }).clientCertificate).toBeUndefined();
  });
});

describe('what is printed', () => {
  const address = { network: 'unix', text: '/tmp/a/s' } as const;

  test('the handshake has the certificate in base64 without padding', () => {
    expect(handshakeLine(address, Uint8Array.of(1, 2, 3, 255))).toBe('1|6|unix|/tmp/a/s|grpc|AQID/w');
    expect(handshakeLine({ network: 'tcp', text: '127.0.0.1:5' }, undefined)).toBe('1|6|tcp|127.0.0.1:5|grpc');
  });

  test('the value for TF_REATTACH_PROVIDERS is what Terraform reads', () => {
    expect(JSON.parse(reattachValue('registry.terraform.io/a/b', address, 7))).toEqual({
      'registry.terraform.io/a/b': {
        Protocol: 'grpc',
        ProtocolVersion: 6,
        Pid: 7,
        Test: true,
        Addr: { Network: 'unix', String: '/tmp/a/s' },
      },
    });
  });
});
