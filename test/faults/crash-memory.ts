/** What the syncer holds, asked of the process itself through Node's inspector: live heap after a collection, timers, sockets (I8). */

export interface Holdings {
  readonly heapBytes: number;
  readonly timers: number;
  readonly sockets: number;
}

const expression = `JSON.stringify({
  heapBytes: process.memoryUsage().heapUsed,
  timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
  sockets: process.getActiveResourcesInfo().filter((name) => /TCPSocketWrap|PipeWrap/.test(name)).length,
})`;

export async function holdingsOf(port: number): Promise<Holdings> {
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as readonly {
    readonly webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', reject, { once: true });
  });
  try {
    // Twice: what a first collection finalises, a second one frees.
    for (let round = 0; round < 2; round++) await call(socket, 'HeapProfiler.collectGarbage', {});
    const { result } = (await call(socket, 'Runtime.evaluate', { expression })) as {
      readonly result: { readonly value: string };
    };
    return JSON.parse(result.value) as Holdings;
  } finally {
    socket.close();
  }
}

let calls = 0;

function call(socket: WebSocket, method: string, params: object): Promise<unknown> {
  const id = ++calls;
  return new Promise((resolve) => {
    const listen = ({ data }: MessageEvent): void => {
      const message = JSON.parse(String(data)) as { readonly id?: number; readonly result?: unknown };
      if (message.id !== id) return;
      socket.removeEventListener('message', listen);
      resolve(message.result);
    };
    socket.addEventListener('message', listen);
    socket.send(JSON.stringify({ id, method, params }));
  });
}
