import { describe, expect, test } from 'vitest';
import { tryStartTracing } from './tracing.ts';

const traced = { release: 'team-a', namespace: 'tenants', version: '1', addresses: {} };
const endpoint = 'http://127.0.0.1:9';

describe('tryStartTracing()', () => {
  test.each([
    ['no endpoint', {}],
    ['an empty one', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    ['OpenTelemetry switched off', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SDK_DISABLED: 'true' }],
    ['traces switched off', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: 'none' }],
  ])('does nothing with %s', async (_, env) => {
    expect(await tryStartTracing(traced, env)).toBeUndefined();
  });

  test.each(['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'])('starts with %s', async (name) => {
    const tracing = await tryStartTracing(traced, { [name]: endpoint });
    const look = { resource: 'pods', key: 'shop/web' };
    expect(
      await tracing?.look(
        look,
        async () => 'done',
        (result) => result,
      ),
    ).toBe('done');
    await expect(tracing?.look(look, () => Promise.reject(new Error('boom')), String)).rejects.toThrow('boom');
  });
});
