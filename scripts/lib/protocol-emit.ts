/**
 * From the parsed definition of the plugin protocol to TypeScript: an interface per message, a table row per field, a row per
 * RPC. Names and numbers only; no text of the definition's comments. Fails on anything that the tables cannot say.
 */
import type { Enum, Field, MapField, NamespaceBase, Type, parse as Parse } from 'protobufjs';
import type { FieldRow, ScalarKind } from '../../provider/wire/tables.ts';
import type { DefinitionFile } from './protocol-definition.ts';

interface Source {
  readonly file: DefinitionFile;
  readonly text: string;
}

interface Found {
  readonly messages: Map<string, Type>;
  readonly enums: Map<string, Readonly<Record<string, number>>>;
  readonly services: Map<string, readonly Method[]>;
}

interface Method {
  readonly name: string;
  readonly request: string;
  readonly response: string;
  readonly streams?: 'response' | 'both';
}

const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  bytes: 'Uint8Array',
  bool: 'boolean',
  int32: 'number',
  uint32: 'number',
  int64: 'Int64',
};

/** Names that mean something else in TypeScript. */
const renamed: Readonly<Record<string, string>> = { Function: 'FunctionSchema' };

/** Health checking is a standard of gRPC itself; no module of the two carries its definition. */
const health = `syntax = "proto3"; package grpc.health.v1;
message HealthCheckRequest { string service = 1; }
message HealthCheckResponse {
  enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; SERVICE_UNKNOWN = 3; }
  ServingStatus status = 1;
}
service Health {
  rpc Check(HealthCheckRequest) returns (HealthCheckResponse);
  rpc Watch(HealthCheckRequest) returns (stream HealthCheckResponse);
}`;

/** The generated file without its header. */
export function emitProtocol(sources: readonly Source[], parse: typeof Parse): string {
  const found: Found = { messages: new Map(), enums: new Map(), services: new Map() };
  const timestamp =
    'syntax = "proto3"; package google.protobuf; message Timestamp { int64 seconds = 1; int32 nanos = 2; }';
  for (const text of [...sources.map((source) => source.text), health, timestamp]) collect(parse(text).root, found);
  return [
    "import type { Draft, EnumTables, Int64, MessageTables, ServiceTables } from './tables.ts';",
    ...[...found.enums].map(([name, values]) => enumType(name, values)),
    ...[...found.messages].map(([name, type]) => messageInterface(name, type)),
    `/** Every message by its name in the tables. */\nexport interface Messages {\n${[...found.messages.keys()].map((name) => `readonly ${name}: ${name};`).join('\n')}\n}`,
    handlers(found.services.get('tfplugin6.Provider') ?? []),
    `export const enums: EnumTables = ${JSON.stringify(Object.fromEntries(found.enums))};`,
    `export const messages: MessageTables = ${table(found.messages)};`,
    `export const services: ServiceTables = ${serviceTable(found.services)};`,
    '',
  ].join('\n\n');
}

function collect(namespace: NamespaceBase, found: Found): void {
  for (const object of namespace.nestedArray) {
    const { className } = Object(object.constructor) as { className?: string };
    if (className === 'Type' && isSent(object as Type)) found.messages.set(nameOf(object.fullName), object as Type);
    if (className === 'Enum') found.enums.set(nameOf(object.fullName), (object as Enum).values);
    if (className === 'Service') found.services.set(object.fullName.slice(1), methods(object as never));
    if ('nestedArray' in object) collect(object as NamespaceBase, found);
  }
}

/** A message without fields that holds other definitions is only a name around them. */
function isSent(type: Type): boolean {
  return type.fieldsArray.length > 0 || type.nestedArray.length === 0;
}

interface ServiceObject {
  readonly methodsArray: readonly {
    readonly name: string;
    readonly requestType: string;
    readonly responseType: string;
    readonly requestStream?: boolean;
    readonly responseStream?: boolean;
  }[];
}

function methods({ methodsArray }: ServiceObject): readonly Method[] {
  return methodsArray.map((method) => {
    const { name, requestType, responseType, requestStream = false, responseStream = false } = method;
    if (requestStream && !responseStream) throw new Error(`${name}: a stream of requests alone is not supported.`);
    const streams = requestStream ? ('both' as const) : ('response' as const);
    return { name, request: nameOf(requestType), response: nameOf(responseType), ...(responseStream && { streams }) };
  });
}

/** `.tfplugin6.Schema.Block` and `Schema.Block` → SchemaBlock. */
function nameOf(fullName: string): string {
  const [first = '', ...rest] = fullName.split('.').filter((part) => /^[A-Z]/.test(part));
  return [renamed[first] ?? first, ...rest].join('');
}

function enumType(name: string, values: Readonly<Record<string, number>>): string {
  return `export type ${name} = ${Object.keys(values)
    .map((value) => `'${value}'`)
    .join(' | ')};`;
}

function messageInterface(name: string, type: Type): string {
  const fields = type.fieldsArray.map((field) => {
    const optional = hasPresence(field) || (!isMany(field) && isMessage(field));
    return `readonly ${fieldName(field)}${optional ? '?' : ''}: ${fieldType(field)}${optional ? ' | undefined' : ''};`;
  });
  return fields.length === 0
    ? `export type ${name} = Readonly<Record<string, never>>;`
    : `export interface ${name} {\n${fields.join('\n')}\n}`;
}

function fieldType(field: Field): string {
  const scalar = scalars[field.type];
  // An enum is open: a later minor version may know more names, which come as their number.
  const one = scalar ?? (isMessage(field) ? typeName(field) : `${typeName(field)} | number`);
  if (field.map) return `Readonly<Record<string, ${one}>>`;
  return field.repeated ? `readonly ${one.includes('|') ? `(${one})` : one}[]` : one;
}

function typeName(field: Field): string {
  if (field.resolved || scalars[field.type] !== undefined) throw new Error(`${field.fullName} has no type of its own.`);
  const { resolvedType } = resolve(field);
  return nameOf(resolvedType);
}

/** Names are looked up from the inside out, as protobuf does. */
function resolve(field: Field): { readonly resolvedType: string; readonly message: boolean } {
  if (field.type.startsWith('google.protobuf.')) return { resolvedType: field.type, message: true };
  const type = field.parent?.lookup(field.type);
  if (!type) throw new Error(`${field.fullName}: ${field.type} is not defined.`);
  return { resolvedType: type.fullName, message: 'fieldsArray' in type };
}

function isMessage(field: Field): boolean {
  return scalars[field.type] === undefined && resolve(field).message;
}

function isMany(field: Field): boolean {
  return field.map || field.repeated;
}

function hasPresence(field: Field): boolean {
  return field.partOf !== null;
}

/** protobufjs has made it camel case but for a first capital. */
function fieldName({ name }: Field): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

function table(found: ReadonlyMap<string, Type>): string {
  const entries = [...found].map(([name, type]) => `${name}: [\n${type.fieldsArray.map(row).join('\n')}\n]`);
  return `{\n${entries.join(',\n')}\n}`;
}

function row(field: Field): string {
  if (field.map && (field as unknown as MapField).keyType !== 'string') {
    throw new Error(`${field.fullName}: keys are not strings.`);
  }
  const columns = {
    number: field.id,
    name: fieldName(field),
    ...kindOf(field),
    shape: shapeOf(field),
    // A field marked `optional` is alone in a oneof whose name begins with an underscore.
    oneof: field.partOf?.name.startsWith('_') === false ? field.partOf.name : undefined,
  };
  return `${JSON.stringify(columns)},`;
}

function kindOf(field: Field): Pick<FieldRow, 'kind' | 'of'> {
  if (scalars[field.type] !== undefined) return { kind: field.type as ScalarKind };
  return { kind: isMessage(field) ? 'message' : 'enum', of: typeName(field) };
}

function shapeOf(field: Field): FieldRow['shape'] {
  if (field.map) return 'map';
  if (field.repeated) return 'repeated';
  return hasPresence(field) ? 'presence' : undefined;
}

function serviceTable(found: Found['services']): string {
  const entries = [...found].map(([service, rpcs]) => [
    service,
    Object.fromEntries(rpcs.map(({ name, ...method }) => [name, method])),
  ]);
  return JSON.stringify(Object.fromEntries(entries));
}

function handlers(rpcs: readonly Method[]): string {
  const rows = rpcs.map(
    ({ name, request, response }) =>
      `readonly ${name}: (request: ${request}, call: Call) => Promise<Draft<${response}>> | Draft<${response}>;`,
  );
  return `/** The provider service: what a provider does for each RPC. */\nexport interface ProviderHandlers<Call> {\n${rows.join('\n')}\n}`;
}
