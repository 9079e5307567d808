import { describe, expect, test } from 'vitest';
import type { Names } from './resolve.ts';
import { explain, virtualText } from './status-text.ts';

const names: Names = {
  virtual: { namespace: 'default', name: 'web' },
  host: { namespace: 'tenant-a', name: 'web-x-default-x-vc1' },
};

function status(code: number, message: string, more: object = {}): string {
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code, ...more });
}

describe('virtualText() [KUB-11]', () => {
  test.each([
    [
      'container "app" in pod "web-x-default-x-vc1" is waiting to start',
      'container "app" in pod "web" is waiting to start',
    ],
    ['pod not found ("web-x-default-x-vc1_tenant-a")', 'pod not found ("web_default")'],
    [
      'Get "https://192.0.2.2:10250/containerLogs/tenant-a/web-x-default-x-vc1/app": dial tcp: connection refused',
      'Get "https://192.0.2.2:10250/containerLogs/default/web/app": dial tcp: connection refused',
    ],
    ['pods "web-x-default-x-vc1" in the namespace "tenant-a"', 'pods "web" in the namespace "default"'],
    ['container "tenant-a" is not running', 'container "tenant-a" is not running'],
    ['pod web-x-default-x-vc1 does not have a host assigned', 'pod web does not have a host assigned'],
  ])('%s', (text, expected) => {
    expect(virtualText(text, names)).toBe(expected);
  });
});

describe('explain()', () => {
  test('keeps the status and the message of the host, in virtual names', () => {
    const body = status(400, 'container "app" in pod "web-x-default-x-vc1" is waiting to start: ContainerCreating');
    expect(explain(400, body, names)).toMatchObject({
      status: 400,
      message: 'container "app" in pod "web" is waiting to start: ContainerCreating',
    });
  });

  test('renames inside the whole Status object', () => {
    const body = status(404, 'pods "web-x-default-x-vc1" not found', {
      details: { name: 'web-x-default-x-vc1', kind: 'pods', causes: [{ message: 'web-x-default-x-vc1 is gone' }] },
    });
    const { object } = explain(404, body, names);
    expect(object).toMatchObject({ details: { name: 'web', causes: [{ message: 'web is gone' }] } });
    expect(JSON.stringify(object)).not.toContain('vc1');
  });

  test.each([
    [401, 'Unauthorized'],
    [
      403,
      'pods "web-x-default-x-vc1" is forbidden: User "system:serviceaccount:tenant-a:vc-vc1" cannot get resource "pods/log"',
    ],
  ])('does not show a tenant what only the operator can mend (%i)', (code, message) => {
    const answer = explain(code, status(code, message), names);
    expect(answer).toMatchObject({ status: 500, object: undefined });
    expect(answer.message).toContain('whoever operates the host');
    expect(answer.message).not.toContain('tenant-a');
  });

  test("relays an admission webhook's refusal", () => {
    const body = status(
      403,
      'admission webhook "exec.example.org" denied the request: no exec into web-x-default-x-vc1',
    );
    expect(explain(403, body, names)).toMatchObject({
      status: 403,
      message: 'admission webhook "exec.example.org" denied the request: no exec into web',
    });
  });

  test('takes plain text, an empty body, broken JSON, other JSON', () => {
    expect(explain(500, 'container not found ("app")\n', names).message).toBe('container not found ("app")');
    expect(explain(503, '', names).message).toBe('The host API server answered 503.');
    expect(explain(400, '{"kind":', names).message).toBe('{"kind":');
    expect(explain(400, '{"kind":"Pod"}', names)).toMatchObject({ message: '{"kind":"Pod"}', object: undefined });
  });

  test('an upgrade that was answered with success is a fault of the host', () => {
    expect(explain(200, 'hello', names).status).toBe(502);
  });
});
