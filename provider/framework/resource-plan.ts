/**
 * Answers Terraform's questions about one kind of resource that change nothing: is this configuration valid, what would
 * happen, what is there now, what did an older release mean, what is behind this id.
 */
import type { Call as WireCall } from '../wire/service.ts';
import type { Draft } from '../wire/tables.ts';
import type * as wire from '../wire/tfplugin6.ts';
import { type Attributes, type PlannedOf } from './attributes.ts';
import { complete, decodeObject, decodePrivate, encodeObject, encodePrivate } from './codec.ts';
import { leftUnknown } from './conformance.ts';
import { type Diagnostic, failure, hasError, pathText, ProviderError, warning } from './diagnostics.ts';
import { isSame } from './equality.ts';
import { diagnosticsOf, pathOf } from './paths.ts';
import { plannedObject, replacements, withoutWriteOnly } from './plan.ts';
import { secretsIn } from './redact.ts';
import type { PlanChange, Replacement, ResourceDefinition } from './resource.ts';
import type { Runner } from './running.ts';
import { isComputed } from './schema.ts';
import { timeoutMs } from './timeouts.ts';
import { upgraded } from './upgrade.ts';
import { validate } from './validate.ts';
import type { Value, ValueRecord } from './values.ts';

/** A resource as the server knows it: types forgotten. */
export type Definition = ResourceDefinition<Attributes, unknown>;

export async function validateResource(
  { attributes, name, validate: own }: Definition,
  request: wire.ValidateResourceConfigRequest,
  runner: Runner,
  call: WireCall,
): Promise<Draft<wire.ValidateResourceConfigResponse>> {
  const ran = await runner.run({ what: `validate the configuration of ${name}` }, call, () => {
    const config = decodeObject(attributes, request.config, 'configuration') ?? {};
    runner.hide(secretsIn(attributes, config));
    const allowed = request.clientCapabilities?.writeOnlyAttributesAllowed ?? false;
    const unsupported = allowed ? [] : writeOnlyUsed(attributes, config);
    return runner.redacted([...unsupported, ...validate(attributes, config, own)]);
  });
  const found = ran.is === 'done' ? ran.value : [ran.diagnostic];
  return { diagnostics: diagnosticsOf(attributes, found) };
}

export async function upgradeResource(
  definition: Definition,
  request: wire.UpgradeResourceStateRequest,
  runner: Runner,
  call: WireCall,
): Promise<Draft<wire.UpgradeResourceStateResponse>> {
  const { attributes, name } = definition;
  const ran = await runner.run({ what: `read the state of ${name}` }, call, () => {
    if (request.rawState === undefined || request.rawState.json.length === 0) {
      throw new ProviderError(
        `State of ${name} is too old`,
        'It was written by Terraform 0.11 or older. Apply it once with Terraform 0.12 first.',
      );
    }
    const state = upgraded(definition, Number(request.version), request.rawState.json);
    return encodeObject(attributes, withoutWriteOnly(attributes, state), 'state');
  });
  return ran.is === 'done'
    ? { upgradedState: ran.value }
    : { diagnostics: diagnosticsOf(attributes, [ran.diagnostic]) };
}

export async function readResource(
  definition: Definition,
  request: wire.ReadResourceRequest,
  runner: Runner,
  call: WireCall,
): Promise<Draft<wire.ReadResourceResponse>> {
  const { attributes, name } = definition;
  const state = decodeObject(attributes, request.currentState, 'state');
  if (state === null) return { newState: encodeObject(attributes, null, 'state'), private: request.private };
  const kept = decodePrivate(request.private);
  const job = {
    what: `read ${name}`,
    timeoutMs: timeoutMs(attributes, 'read', state),
    secrets: secretsIn(attributes, state),
  };
  const ran = await runner.run(job, call, async (given) => {
    const found = await definition.read({ ...given, state, private: kept });
    if (found === undefined) return { newState: encodeObject(attributes, null, 'state') };
    const result = withoutWriteOnly(attributes, complete(attributes, found.state));
    const diagnostics = [...runner.redacted(found.diagnostics), ...leftUnknown(result)];
    return {
      newState: hasError(diagnostics) ? request.currentState : encodeObject(attributes, result, 'state'),
      private: encodePrivate(found.private ?? kept),
      diagnostics: diagnosticsOf(attributes, diagnostics),
    };
  });
  if (ran.is === 'done') return ran.value;
  return {
    newState: request.currentState,
    private: request.private,
    diagnostics: diagnosticsOf(attributes, [ran.diagnostic]),
  };
}

export async function importResource(
  { attributes, name, import: importOne }: Definition,
  request: wire.ImportResourceStateRequest,
  runner: Runner,
  call: WireCall,
): Promise<Draft<wire.ImportResourceStateResponse>> {
  const ran = await runner.run({ what: `import ${name}` }, call, async (given) => {
    if (importOne === undefined) {
      throw new ProviderError(`${name} cannot be imported`, 'There is nothing outside of Terraform to import it from.');
    }
    const { state, private: kept } = await importOne({ ...given, id: request.id });
    const whole = withoutWriteOnly(attributes, complete(attributes, state as ValueRecord));
    return { typeName: name, state: encodeObject(attributes, whole, 'state'), private: encodePrivate(kept ?? {}) };
  });
  return ran.is === 'done'
    ? { importedResources: [ran.value] }
    : { diagnostics: diagnosticsOf(attributes, [ran.diagnostic]) };
}

export async function planResource(
  definition: Definition,
  request: wire.PlanResourceChangeRequest,
  runner: Runner,
  call: WireCall,
): Promise<Draft<wire.PlanResourceChangeResponse>> {
  const { attributes, name } = definition;
  const prior = decodeObject(attributes, request.priorState, 'state');
  const proposed = decodeObject(attributes, request.proposedNewState, 'proposal');
  const config = decodeObject(attributes, request.config, 'configuration') ?? {};
  const kept = decodePrivate(request.priorPrivate);
  const secrets = [...secretsIn(attributes, prior), ...secretsIn(attributes, config)];
  if (proposed === null) return planDestroy({ definition, request, runner, call }, prior ?? {});
  const job = { what: `plan ${name}`, timeoutMs: timeoutMs(attributes, 'read', config), secrets };
  const ran = await runner.run(job, call, async (given) => {
    const planned = plannedObject(attributes, config, prior ?? undefined);
    const change =
      (await definition.plan?.({ ...given, config, planned, prior: prior ?? undefined, private: kept })) ?? {};
    const result = applyChange(definition, config, planned, change);
    const replace =
      prior === null ? [] : [...replacements(attributes, prior, result), ...changed(change, prior, result)];
    const own = runner.redacted(change.diagnostics);
    return {
      plannedState: encodeObject(attributes, result, 'plan'),
      requiresReplace: replace.flatMap(({ path }) => pathOf(attributes, path) ?? []),
      plannedPrivate: encodePrivate(change.private ?? kept),
      diagnostics: diagnosticsOf(attributes, [...own, ...warnings(name, replace)]),
    };
  });
  return ran.is === 'done' ? ran.value : { diagnostics: diagnosticsOf(attributes, [ran.diagnostic]) };
}

interface Asked {
  readonly definition: Definition;
  readonly request: wire.PlanResourceChangeRequest;
  readonly runner: Runner;
  readonly call: WireCall;
}

async function planDestroy(
  { definition, request, runner, call }: Asked,
  prior: ValueRecord,
): Promise<Draft<wire.PlanResourceChangeResponse>> {
  const { attributes, name } = definition;
  const job = { what: `plan the destruction of ${name}`, secrets: secretsIn(attributes, prior) };
  const kept = decodePrivate(request.priorPrivate);
  const ran = await runner.run(job, call, (given) => definition.planDelete?.({ ...given, prior, private: kept }) ?? []);
  return {
    plannedState: encodeObject(attributes, null, 'plan'),
    plannedPrivate: request.priorPrivate,
    diagnostics: diagnosticsOf(attributes, ran.is === 'done' ? ran.value : [ran.diagnostic]),
  };
}

/** What the handler plans otherwise; the user's own values are not its to change, or core would refuse the plan. */
function applyChange(
  { attributes, name }: Definition,
  config: ValueRecord,
  planned: PlannedOf<Attributes>,
  { values = {} }: PlanChange<Attributes>,
): ValueRecord {
  for (const [key, value] of Object.entries(values)) {
    const attribute = attributes[key];
    if (attribute === undefined) throw new Error(`The plan of ${name} names ${key}, which is no attribute.`);
    const own = isComputed(attribute) && (config[key] ?? null) === null;
    if (!own && !isSame(attribute.type, value ?? null, planned[key] ?? null)) {
      throw new Error(`The plan of ${name} changes ${key}, which is the user's to set.`);
    }
  }
  return complete(attributes, { ...planned, ...values } as ValueRecord);
}

/** Terraform drops replacements of attributes that do not change; so do we, or the reason would be shown for nothing. */
function changed(
  { replace = [] }: PlanChange<Attributes>,
  prior: ValueRecord,
  planned: ValueRecord,
): readonly Replacement[] {
  return replace.filter(({ path: [first] }) => {
    const before: Value = prior[String(first)] ?? null;
    return !isSame('dynamic', before, planned[String(first)] ?? null);
  });
}

function warnings(name: string, replace: readonly Replacement[]): readonly Diagnostic[] {
  return replace.map(({ path, why }) =>
    warning(
      `${name} must be replaced`,
      `${pathText(path)} changes: ${why.replace(/\.$/, '')}. It will be destroyed and created anew.`,
      path,
    ),
  );
}

function writeOnlyUsed(attributes: Attributes, config: ValueRecord): readonly Diagnostic[] {
  return Object.entries(attributes)
    .filter(([name, attribute]) => attribute.writeOnly && (config[name] ?? null) !== null)
    .map(([name]) =>
      failure(
        'Write-only attribute not supported',
        `${name} is never stored, which needs Terraform 1.11, or OpenTofu 1.11, or newer. Update it, or leave ${name} out.`,
        [name],
      ),
    );
}
