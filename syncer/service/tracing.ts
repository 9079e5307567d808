/**
 * Spans, when an OTLP endpoint is configured: one for each look at a key, with a child for each request that it makes. Whoever does
 * not configure one pays nothing: the OpenTelemetry packages are loaded by otlp.ts, and that file only from here.
 */

/** Who is being traced: attributes of the resource in OpenTelemetry's sense. */
export interface Traced {
  readonly release: string;
  readonly namespace: string;
  readonly version: string;
  /** API server of each side, as `host:port`. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** A request that has come to its end. */
export interface TracedRequest {
  readonly side: string;
  readonly verb: string;
  readonly kind: string;
  /** 0 when no answer came. */
  readonly status: number;
  readonly seconds: number;
}

export interface Tracing {
  /** Does the work of one look at a key inside of a span; `outcomeOf` says how the look ended. */
  look<T>(
    look: { readonly resource: string; readonly key: string },
    work: () => Promise<T>,
    outcomeOf: (result: T) => string,
  ): Promise<T>;
  /** To be called in the asynchronous context of the look that the request belongs to; a request of nobody's is left out. */
  requested(request: TracedRequest): void;
  /** Sends what has not been sent. Never throws. */
  stop(): Promise<void>;
}

/** Starts tracing when the environment names an endpoint, by OpenTelemetry's own variables. */
export async function tryStartTracing(
  traced: Traced,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Tracing | undefined> {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  const off = env['OTEL_SDK_DISABLED'] === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none';
  if (endpoint === '' || off) return undefined;
  const { startTracing } = await import('./otlp.ts');
  return startTracing(traced, Number(env['OTEL_TRACES_SAMPLER_ARG'] ?? 1));
}
