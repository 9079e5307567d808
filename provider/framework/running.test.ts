/** What becomes of what handlers throw, and of handlers that are told to stop. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLog } from '../wire/log.ts';
import { Secrets } from '../wire/secrets.ts';
import type { Diagnostic } from './diagnostics.ts';
import { ProviderError } from './diagnostics.ts';
import { type Job, type Ran, Runner } from './running.ts';

const call = { signal: new AbortController().signal, connection: {} };

function newRunner(): { readonly runner: Runner; readonly lines: string[] } {
  const lines: string[] = [];
  const secrets = new Secrets();
  const log = createLog({ level: 'trace', secrets, write: (line) => lines.push(line) });
  const runner = new Runner(log, secrets);
  runner.hide(['hunter2-hunter2']);
  return { runner, lines };
}

const job: Job = { what: 'create toy_box' };

function failedWith<T>(ran: Ran<T>): Diagnostic {
  if (ran.is !== 'failed') throw new Error('It did not fail.');
  return ran.diagnostic;
}

test('run() passes on words, from any class that has them, without secrets', async () => {
  const { runner } = newRunner();
  const own = await runner.run(job, call, () => {
    throw new ProviderError('No', 'Because of hunter2-hunter2.', { path: ['name'] });
  });
  expect(failedWith(own)).toEqual({ severity: 'error', summary: 'No', detail: 'Because of [secret].', path: ['name'] });
  const other = await runner.run(job, call, async () => {
    throw Object.assign(new Error('x'), { summary: 'Host down', detail: 'Start it.' });
  });
  expect(failedWith(other)).toEqual({ severity: 'error', summary: 'Host down', detail: 'Start it.' });
});

test('run() says of anything else that it is a bug, and where in the log only', async () => {
  const { runner, lines } = newRunner();
  const ran = await runner.run(job, call, () => {
    throw new TypeError('cannot read hunter2-hunter2', { cause: new Error('deep cause') });
  });
  expect(failedWith(ran).summary).toBe('Bug of the provider: could not create toy_box');
  expect(failedWith(ran).detail).not.toContain('cannot read');
  expect(lines.join('')).toMatch(/TypeError: cannot read \[secret\].*running\.test\.ts.*deep cause/);
});

test('stop() also keeps what the same command asks for later from being begun, but for what closes', async () => {
  const { runner } = newRunner();
  runner.stop(call);
  let begun = 0;
  const late = await runner.run(job, call, () => begun++);
  expect(failedWith(late).summary).toBe('Interrupted: could not create toy_box');
  expect(begun).toBe(0);
  const closing: Job = { what: 'close toy_door', evenStopped: true };
  expect(await runner.run(closing, call, ({ signal }) => signal.aborted)).toEqual({ is: 'done', value: false });
});

test('stop() aborts every handler that runs, and none of the next command', async () => {
  const { runner } = newRunner();
  const waiting = [1, 2].map(() => runner.run(job, call, ({ signal }) => sleep(60_000, undefined, { signal })));
  runner.stop(call);
  for (const ran of await Promise.all(waiting)) {
    expect(failedWith(ran).summary).toBe('Interrupted: could not create toy_box');
  }
  const next = { ...call, connection: {} };
  expect(await runner.run(job, next, ({ signal }) => signal.aborted)).toEqual({ is: 'done', value: false });
});

test('run() keeps the words of a handler that was stopped and said what it left', async () => {
  const { runner } = newRunner();
  const running = runner.run(job, call, async ({ signal }) => {
    await sleep(60_000, undefined, { signal }).catch(() => {
      throw new ProviderError('Stopped half-way', 'The namespace is there.');
    });
  });
  runner.stop(call);
  expect(failedWith(await running).summary).toBe('Stopped half-way');
});

test('run() takes whatever a stopped handler throws for the interruption, and logs what it was', async () => {
  const { runner, lines } = newRunner();
  const running = runner.run(job, call, async ({ signal }) => {
    await sleep(60_000, undefined, { signal }).catch(() => {
      // As a program says it that was killed by the signal.
      throw new Error('helm ended with exit code 143');
    });
  });
  runner.stop(call);
  expect(failedWith(await running).summary).toBe('Interrupted: could not create toy_box');
  expect(lines.join('')).toContain('exit code 143');
});

test('run() aborts a handler whose caller has gone', async () => {
  const { runner } = newRunner();
  const gone = new AbortController();
  const running = runner.run(job, { ...call, signal: gone.signal }, ({ signal }) =>
    sleep(60_000, undefined, { signal }),
  );
  gone.abort();
  expect(failedWith(await running).summary).toContain('Interrupted');
});

test('remainingMs() counts down to nothing; without a timeout there is no end', async () => {
  const { runner } = newRunner();
  const ran = await runner.run({ ...job, timeoutMs: 1000 }, call, ({ remainingMs }) => remainingMs());
  expect(ran.is === 'done' && ran.value > 0 && ran.value <= 1000).toBe(true);
  expect(await runner.run(job, call, ({ remainingMs }) => remainingMs())).toEqual({ is: 'done', value: Infinity });
});
