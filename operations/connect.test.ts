/** A host that takes connections and says nothing keeps nobody for longer than they have. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SilentServer } from '../test/support/silent-server.ts';
import { connect } from './connect.ts';
import { AbortedError } from './errors.ts';
import { HostUnreachableError } from './host-errors.ts';
import { openHost } from './host.ts';
import type { Host } from './host.ts';

const ref = { namespace: 'team', name: 'team-a' };

let silent: SilentServer;
let host: Host;

describe('connect() to a host that hangs', () => {
  beforeAll(async () => {
    silent = await SilentServer.start();
    host = await openHost({ explicit: { server: silent.url, token: 'x', insecure: true } });
  });

  afterAll(() => {
    host.close();
    silent[Symbol.dispose]();
  });

  test('gives up with its own timeout', async () => {
    const connecting = connect(host, ref, { timeoutMs: 50 });
    await expect(connecting).rejects.toThrow(HostUnreachableError);
    await expect(connecting).rejects.toThrow(/no answer within 0\.0\d+ s/);
  });

  test('stops when it is told to', async () => {
    const connecting = connect(host, ref, { timeoutMs: 3_600_000, signal: silent.reached() });
    await expect(connecting).rejects.toThrow(AbortedError);
  });
});
