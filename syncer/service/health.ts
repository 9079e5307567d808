/**
 * `/healthz`, `/readyz` and `/metrics` over plain HTTP, for the kubelet and Prometheus.
 *
 * `/healthz` fails only when a restart would help; that an API server is away is no such reason (spec OPS-10). `/readyz` fails while
 * tenants are not served, and says what is missing. With `?verbose` both tell of every check. No answer names an object.
 */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Registry } from 'prom-client';

export interface Check {
  readonly name: string;
  /** What is wrong, for people; empty when there is no more to say than the name, undefined when all is well. */
  readonly problem: () => string | undefined;
}

export interface HealthOptions {
  readonly port: number;
  readonly registry: Registry;
  readonly live: readonly Check[];
  readonly ready: readonly Check[];
}

/** The answer to one probe. */
export function report(
  checks: readonly Check[],
  verbose: boolean,
): { readonly status: 200 | 503; readonly text: string } {
  const found = checks.map(({ name, problem }) => ({ name, problem: problem() }));
  const bad = found.filter(({ problem }) => problem !== undefined);
  const status = bad.length === 0 ? 200 : 503;
  const lines = found.map(({ name, problem }) =>
    problem === undefined ? `[+] ${name}` : `[-] ${words(name, problem)}`,
  );
  if (verbose) return { status, text: lines.join('\n') };
  return {
    status,
    text: status === 200 ? 'ok' : `missing: ${bad.map(({ name, problem }) => words(name, problem)).join('; ')}`,
  };
}

function words(name: string, problem = ''): string {
  return problem === '' ? name : `${name}: ${problem}`;
}

/** Serves until the signal is aborted. */
export async function serveHealth({ port, registry, live, ready }: HealthOptions, signal: AbortSignal): Promise<void> {
  const probes = new Map([
    ['/healthz', live],
    ['/livez', live],
    ['/readyz', ready],
  ]);
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://syncer');
    const checks = probes.get(pathname);
    if (checks !== undefined) {
      const { status, text } = report(checks, searchParams.has('verbose'));
      return answer(response, status, text);
    }
    if (pathname !== '/metrics') return answer(response, 404, 'Here are /healthz, /readyz and /metrics.');
    void registry.metrics().then(
      (text) => answer(response, 200, text, registry.contentType),
      (error: unknown) => answer(response, 500, String(error)),
    );
  });
  server.listen(port);
  await once(server, 'listening');
  signal.addEventListener('abort', () => server.close(), { once: true });
  await once(server, 'close');
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type });
  response.end(`${text}\n`);
}
