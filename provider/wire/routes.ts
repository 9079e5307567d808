/**
 * Every path that Terraform may call, from the generated list of RPCs: the provider's own, bound to its handlers, and those of
 * go-plugin around them (health, shutdown, and two streams that this provider keeps open and silent).
 */
import type { Route } from './grpc-server.ts';
import { Codec } from './protobuf.ts';
import type { Call, ProviderService } from './service.ts';
import type { MethodRow } from './tables.ts';
import { enums, messages, services } from './tfplugin6.ts';
import type { Messages } from './tfplugin6.ts';

export interface RouteOptions {
  /** Awaited by each RPC, so that serving can begin before the provider is loaded. */
  readonly provider: Promise<ProviderService>;
  /** Terraform asks the process to end; called after the answer is on its way. */
  readonly onShutdown: () => void;
}

const codec = new Codec<Messages>(messages, enums);
const providerService = 'tfplugin6.Provider';

type Handler = (request: unknown, call: Call) => unknown;

/** Routes by path; of any other path the server says that it is not implemented. */
export function routesOf({ provider, onShutdown }: RouteOptions): ReadonlyMap<string, Route> {
  const serving = codec.encode('HealthCheckResponse', { status: 'SERVING' });
  return new Map<string, Route>([
    ...Object.entries(services[providerService] ?? {}).map(([method, row]): [string, Route] => [
      `/${providerService}/${method}`,
      providerRoute(method, row, provider),
    ]),
    ['/grpc.health.v1.Health/Check', { is: 'unary', answer: () => serving }],
    ['/grpc.health.v1.Health/Watch', { is: 'held', first: serving }],
    ['/plugin.GRPCStdio/StreamStdio', { is: 'held' }],
    ['/plugin.GRPCBroker/StartStream', { is: 'held' }],
    [
      '/plugin.GRPCController/Shutdown',
      {
        is: 'unary',
        answer: () => {
          setImmediate(onShutdown);
          return codec.encode('Empty', {});
        },
      },
    ],
  ]);
}

function providerRoute(method: string, { request, response }: MethodRow, provider: Promise<ProviderService>): Route {
  return {
    is: 'unary',
    answer: async (bytes, call) => {
      const handlers = (await provider).handlers as unknown as Readonly<Record<string, Handler>>;
      const answer = await handlers[method]?.(codec.decode(request as keyof Messages, bytes), call);
      return codec.encode(response as keyof Messages, answer as never);
    },
  };
}
