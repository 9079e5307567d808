/** What ends a question to a server that takes connections and says nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SilentServer } from '../test/support/silent-server.ts';
import { AbortedError } from './errors.ts';
import { reach } from './reach.ts';
import { VirtualApi } from './virtual-api.ts';

const longMs = 3_600_000;

let silent: SilentServer;

describe('a server that says nothing', () => {
  beforeAll(async () => {
    silent = await SilentServer.start();
  });

  afterAll(() => silent[Symbol.dispose]());

  test('reach() ends with its time, and at once when it is told to stop', async () => {
    expect(await reach({ server: silent.url, ca: '' }, 50)).toEqual({ is: 'silent', why: 'no answer within 0.05 s' });
    const told = { is: 'silent', why: 'it was told to stop' };
    expect(await reach({ server: silent.url, ca: '' }, longMs, silent.reached())).toEqual(told);
    expect(await reach({ server: silent.url, ca: '' }, longMs, AbortSignal.abort())).toEqual(told);
  });

  test('so does a request, by the signal of all requests or by its own', async () => {
    const access = { server: new URL(silent.url), insecure: false };
    const asked = { path: '/readyz', timeoutMs: longMs };
    await expect(new VirtualApi(access, 'a', silent.reached()).ask(asked)).rejects.toThrow(AbortedError);
    const signal = silent.reached();
    await expect(new VirtualApi(access, 'a').ask({ ...asked, signal })).rejects.toThrow(AbortedError);
    await expect(new VirtualApi(access, 'a').ask({ ...asked, timeoutMs: 49.5 })).rejects.toThrow('no answer in time');
  });
});
