/**
 * Answers Terraform's questions about data sources and ephemeral resources.
 */
import type { Call as WireCall } from '../wire/service.ts';
import type { Draft } from '../wire/tables.ts';
import type * as wire from '../wire/tfplugin6.ts';
import type { Attributes } from './attributes.ts';
import { complete, decodeObject, decodePrivate, encodeObject, encodePrivate } from './codec.ts';
import type { DataSourceDefinition } from './data-source.ts';
import { hasError, type Diagnostic } from './diagnostics.ts';
import type { EphemeralDefinition } from './ephemeral.ts';
import { withDefaults } from './plan.ts';
import { secretsIn } from './redact.ts';
import type { Runner } from './running.ts';
import { validate } from './validate.ts';
import type { ValueRecord } from './values.ts';

type DataSource = DataSourceDefinition<Attributes, unknown>;
type Ephemeral = EphemeralDefinition<Attributes, unknown>;

const readTimeoutMs = 60_000;

export async function validateOther(
  { attributes, name, validate: own }: Pick<DataSource, 'attributes' | 'name' | 'validate'>,
  request: wire.ValidateDataResourceConfigRequest,
  runner: Runner,
  call: WireCall,
): Promise<Draft<wire.ValidateDataResourceConfigResponse>> {
  const ran = await runner.run({ what: `validate the configuration of ${name}` }, call, () => {
    const config = decodeObject(attributes, request.config, 'configuration') ?? {};
    runner.hide(secretsIn(attributes, config));
    return validate(attributes, config, own);
  });
  return { diagnostics: runner.told(attributes, ran.is === 'done' ? ran.value : [ran.diagnostic]) };
}

export async function readDataSource(
  definition: DataSource,
  request: wire.ReadDataSourceRequest,
  runner: Runner,
  call: WireCall,
): Promise<Draft<wire.ReadDataSourceResponse>> {
  const { attributes, name, timeoutMs = readTimeoutMs } = definition;
  const config = configOf(attributes, request.config);
  runner.hide(secretsIn(attributes, config));
  const invalid = errorsIn(definition, config);
  if (invalid.length > 0) return { diagnostics: runner.told(attributes, invalid) };
  const job = { what: `read ${name}`, timeoutMs };
  const ran = await runner.run(job, call, async (given) => {
    const { state, diagnostics = [] } = await definition.read({ ...given, config });
    return {
      ...(!hasError(diagnostics) && { state: encodeObject(attributes, merged(definition, config, state), 'result') }),
      diagnostics: runner.told(attributes, diagnostics),
    };
  });
  return ran.is === 'done' ? ran.value : { diagnostics: runner.told(attributes, [ran.diagnostic]) };
}

export async function openEphemeral(
  definition: Ephemeral,
  request: wire.OpenEphemeralResourceRequest,
  runner: Runner,
  call: WireCall,
): Promise<Draft<wire.OpenEphemeralResourceResponse>> {
  const { attributes, name } = definition;
  const config = configOf(attributes, request.config);
  runner.hide(secretsIn(attributes, config));
  const invalid = errorsIn(definition, config);
  if (invalid.length > 0) return { diagnostics: runner.told(attributes, invalid) };
  const ran = await runner.run({ what: `open ${name}` }, call, async (given) => {
    const { result, renewAt, private: kept, diagnostics = [] } = await definition.open({ ...given, config });
    return {
      ...(!hasError(diagnostics) && { result: encodeObject(attributes, merged(definition, config, result), 'result') }),
      ...(renewAt && { renewAt: timestamp(renewAt) }),
      private: encodePrivate(kept ?? {}),
      diagnostics: runner.told(attributes, diagnostics),
    };
  });
  return ran.is === 'done' ? ran.value : { diagnostics: runner.told(attributes, [ran.diagnostic]) };
}

export async function renewEphemeral(
  { attributes, name, renew }: Ephemeral,
  request: wire.RenewEphemeralResourceRequest,
  runner: Runner,
  call: WireCall,
): Promise<Draft<wire.RenewEphemeralResourceResponse>> {
  if (renew === undefined) return { private: request.private };
  const ran = await runner.run({ what: `renew ${name}`, evenStopped: true }, call, async (given) => {
    const kept = decodePrivate(request.private);
    const { renewAt, private: next } = await renew({ ...given, private: kept });
    return { ...(renewAt && { renewAt: timestamp(renewAt) }), private: encodePrivate(next ?? kept) };
  });
  return ran.is === 'done' ? ran.value : { diagnostics: runner.told(attributes, [ran.diagnostic]) };
}

export async function closeEphemeral(
  { attributes, name, close }: Ephemeral,
  request: wire.CloseEphemeralResourceRequest,
  runner: Runner,
  call: WireCall,
): Promise<Draft<wire.CloseEphemeralResourceResponse>> {
  if (close === undefined) return {};
  const ran = await runner.run({ what: `close ${name}`, evenStopped: true }, call, (given) =>
    close({ ...given, private: decodePrivate(request.private) }),
  );
  return ran.is === 'done' ? {} : { diagnostics: runner.told(attributes, [ran.diagnostic]) };
}

function configOf(attributes: Attributes, config: wire.DynamicValue | undefined): ValueRecord {
  return withDefaults(attributes, decodeObject(attributes, config, 'configuration') ?? {});
}

function errorsIn(
  { attributes, validate: own }: Pick<DataSource, 'attributes' | 'validate'>,
  config: ValueRecord,
): readonly Diagnostic[] {
  return validate(attributes, config, own).filter(({ severity }) => severity === 'error');
}

/** What the user has set stays as it is, or core would refuse the result. */
function merged(
  { attributes, name }: Pick<DataSource, 'attributes' | 'name'>,
  config: ValueRecord,
  made: ValueRecord | Readonly<Record<string, unknown>>,
): ValueRecord {
  const foreign = Object.keys(made).find((key) => !Object.hasOwn(attributes, key));
  if (foreign !== undefined) throw new Error(`${name} returned ${foreign}, which is no attribute.`);
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null));
  return complete(attributes, { ...(made as ValueRecord), ...given });
}

function timestamp(date: Date): Draft<wire.Timestamp> {
  const ms = date.getTime();
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
}
