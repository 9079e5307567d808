/**
 * A receiver of OTLP/HTTP as OpenTelemetry specifies it, for want of one that Debian packages: it takes protobuf at /v1/traces and keeps
 * the spans. Field numbers are those of opentelemetry/proto/trace/v1/trace.proto.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentId: string;
  readonly kind: number;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Everything that came, as it came. */
  readonly raw: readonly Buffer[];
  stop(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const raw: Buffer[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isTraces = request.url === '/v1/traces' && request.headers['content-type'] === 'application/x-protobuf';
    const bytes = await body(request);
    if (isTraces) {
      raw.push(bytes);
      spans.push(...decodeTraces(bytes));
    }
    response.writeHead(isTraces ? 200 : 400, { 'content-type': 'application/x-protobuf' }).end();
  };
  const server = createServer((request, response) => void take(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    raw,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

type Value = Buffer | bigint;
type Message = ReadonlyMap<number, readonly Value[]>;

function decodeTraces(bytes: Buffer): readonly ReceivedSpan[] {
  return messages(decode(bytes), 1).flatMap((resourceSpans) => {
    const [resource = decode(Buffer.alloc(0))] = messages(resourceSpans, 1);
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => ({ ...decodeSpan(span), resource: attributesOf(resource, 1) }));
  });
}

function decodeSpan(span: Message): Omit<ReceivedSpan, 'resource'> {
  const hex = (field: number): string => bytesOf(span, field).toString('hex');
  const [status] = messages(span, 15);
  return {
    name: bytesOf(span, 5).toString('utf8'),
    traceId: hex(1),
    spanId: hex(2),
    parentId: hex(4),
    kind: Number(span.get(6)?.[0] ?? 0),
    isError: status?.get(3)?.[0] === 2n,
    attributes: attributesOf(span, 9),
  };
}

function attributesOf(message: Message, field: number): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    messages(message, field).map((pair) => {
      const [value] = messages(pair, 2);
      const [text, whole] = [value?.get(1)?.[0], value?.get(3)?.[0]];
      return [bytesOf(pair, 1).toString('utf8'), text instanceof Buffer ? text.toString('utf8') : Number(whole)];
    }),
  );
}

function messages(message: Message, field: number): readonly Message[] {
  return (message.get(field) ?? []).flatMap((value) => (value instanceof Buffer ? [decode(value)] : []));
}

function bytesOf(message: Message, field: number): Buffer {
  const value = message.get(field)?.[0];
  return value instanceof Buffer ? value : Buffer.alloc(0);
}

/** Protobuf's wire format: fields by number, without their names. */
function decode(bytes: Buffer): Message {
  const fields = new Map<number, Value[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const read: Readonly<Record<number, () => Value>> = {
    0: varint,
    1: () => bytes.readBigUInt64LE((at += 8) - 8),
    2: () => {
      const length = Number(varint());
      return bytes.subarray(at, (at += length));
    },
    5: () => BigInt(bytes.readUInt32LE((at += 4) - 4)),
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const value = read[tag & 7]?.();
    if (value === undefined) throw new Error(`Not protobuf: wire type ${tag & 7} at ${at}.`);
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}
