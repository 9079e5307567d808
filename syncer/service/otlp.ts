/**
 * OpenTelemetry behind the interface of tracing.ts, sent by OTLP over HTTP. Endpoint, headers, certificates and time limits are
 * read from OTEL_EXPORTER_OTLP_… by the exporter itself. Attributes name kinds and keys; never anything from within an object.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Traced, TracedRequest, Tracing } from './tracing.ts';

const stopMaxMs = 2_000;

const methods: Readonly<Record<string, string>> = {
  list: 'GET',
  get: 'GET',
  create: 'POST',
  post: 'POST',
  patch: 'PATCH',
  replace: 'PUT',
  delete: 'DELETE',
};

export function startTracing(traced: Traced, sampleRatio: number): Tracing {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'vcluster-syncer',
      'service.version': traced.version,
      'service.namespace': traced.namespace,
      'service.instance.id': `${traced.namespace}/${traced.release}`,
      'k8s.namespace.name': traced.namespace,
      'k8s.statefulset.name': traced.release,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer('vcluster-syncer', traced.version);
  const contexts = new AsyncLocalStorage<Context>();
  return {
    look: async ({ resource, key }, work, outcomeOf) => {
      const span = tracer.startSpan(
        `reconcile ${resource}`,
        { attributes: lookAttributes(resource, key) },
        ROOT_CONTEXT,
      );
      try {
        const result = await contexts.run(trace.setSpan(ROOT_CONTEXT, span), work);
        end(span, outcomeOf(result));
        return result;
      } catch (error) {
        end(span, 'failed');
        throw error;
      }
    },
    requested: (request) => {
      const context = contexts.getStore();
      if (context !== undefined)
        noteRequest(tracer, context, { ...request, address: traced.addresses[request.side] ?? '' });
    },
    // A receiver that is away must not hold up the end of the process.
    stop: () => Promise.race([provider.shutdown().catch(() => undefined), sleep(stopMaxMs, undefined, { ref: false })]),
  };
}

function lookAttributes(resource: string, key: string): Attributes {
  const slash = key.indexOf('/');
  return {
    'vcluster.resource': resource,
    'vcluster.object.name': key.slice(slash + 1),
    ...(slash > 0 && { 'vcluster.object.namespace': key.slice(0, slash) }),
  };
}

function end(span: Span, outcome: string): void {
  span.setAttribute('vcluster.outcome', outcome);
  if (outcome === 'failed') span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** Told when it is over, so that nothing is kept for a request on its way. */
function noteRequest(tracer: Tracer, context: Context, request: TracedRequest & { readonly address: string }): void {
  const { side, verb, kind, status, seconds, address } = request;
  const endMs = Date.now();
  const failed = status === 0 || status >= 400;
  const [host = '', port = '443'] = address.split(/:(?=\d+$)/u);
  const method = methods[verb] ?? verb;
  const span = tracer.startSpan(
    `${method} ${kind}`,
    {
      kind: SpanKind.CLIENT,
      startTime: endMs - seconds * 1000,
      attributes: {
        'http.request.method': method,
        'server.address': host,
        'server.port': Number(port),
        'vcluster.side': side,
        'vcluster.kind': kind,
        ...(status > 0 && { 'http.response.status_code': status }),
        ...(failed && { 'error.type': status === 0 ? 'no_answer' : String(status) }),
      },
    },
    context,
  );
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endMs);
}
