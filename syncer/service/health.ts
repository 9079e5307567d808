/** `/healthz` (the process answers), `/readyz` (tenants are served) and `/metrics`, over plain HTTP for the kubelet and Prometheus. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Registry } from 'prom-client';

export interface HealthOptions {
  readonly port: number;
  readonly registry: Registry;
  /** What is still missing before tenants are served; none when ready. */
  readonly missing: () => readonly string[];
}

/** Serves until the signal is aborted. */
export async function serveHealth({ port, registry, missing }: HealthOptions, signal: AbortSignal): Promise<void> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/healthz') return answer(response, 200, 'ok');
    if (path === '/readyz') {
      const waitingFor = missing();
      return waitingFor.length === 0
        ? answer(response, 200, 'ok')
        : answer(response, 503, `waiting for: ${waitingFor.join(', ')}`);
    }
    if (path !== '/metrics') return answer(response, 404, 'not found');
    void registry.metrics().then(
      (text) => answer(response, 200, text),
      (error: unknown) => answer(response, 500, String(error)),
    );
  });
  server.listen(port);
  await once(server, 'listening');
  signal.addEventListener('abort', () => server.close(), { once: true });
  await once(server, 'close');
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
