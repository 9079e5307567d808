/**
 * Answers Terraform's questions about one kind of resource that change nothing: is this configuration valid, what would
 * happen, what is there now, what did an older release mean, what is behind this id.
 */
import type { Call as WireCall } from '../wire/service.ts';
import type { Draft } from '../wire/tables.ts';
import type * as wire from '../wire/tfplugin6.ts';
import type { Attribute, Attributes, PlannedOf } from './attributes.ts';
import { complete, decodeObject, decodePrivate, encodeObject, encodePrivate } from './codec.ts';
import { leftUnknown } from './conformance.ts';
import { type Diagnostic, failure, hasError, pathText, ProviderError, warning } from './diagnostics.ts';
import { isSame } from './equality.ts';
import { pathOf } from './paths.ts';
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
    return [...unsupported, ...validate(attributes, config, own)];
  });
  const found = ran.is === 'done' ? ran.value : [ran.diagnostic];
  return { diagnostics: runner.told(attributes, found) };
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
  return ran.is === 'done' ? { upgradedState: ran.value } : { diagnostics: runner.told(attributes, [ran.diagnostic]) };
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
  runner.hide(secretsIn(attributes, state));
  const job = { what: `read ${name}`, timeoutMs: timeoutMs(attributes, 'read', state) };
  const ran = await runner.run(job, call, async (given) => {
    const found = await definition.read({ ...given, state, private: kept });
    if (found === undefined) return { newState: encodeObject(attributes, null, 'state') };
    const result = withoutWriteOnly(attributes, complete(attributes, found.state));
    const diagnostics = [...(found.diagnostics ?? []), ...leftUnknown(result)];
    return {
      newState: hasError(diagnostics) ? request.currentState : encodeObject(attributes, result, 'state'),
      private: encodePrivate(found.private ?? kept),
      diagnostics: runner.told(attributes, diagnostics),
    };
  });
  if (ran.is === 'done') return ran.value;
  return {
    newState: request.currentState,
    private: request.private,
    diagnostics: runner.told(attributes, [ran.diagnostic]),
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
    : { diagnostics: runner.told(attributes, [ran.diagnostic]) };
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
  runner.hide([...secretsIn(attributes, prior), ...secretsIn(attributes, config)]);
  if (proposed === null) return planDestroy({ definition, request, runner, call }, prior ?? {});
  const job = { what: `plan ${name}`, timeoutMs: timeoutMs(attributes, 'read', config) };
  const ran = await runner.run(job, call, async (given) => {
    const planned = plannedObject(attributes, config, prior ?? undefined);
    const change =
      (await definition.plan?.({ ...given, config, planned, prior: prior ?? undefined, private: kept })) ?? {};
    const result = applyChange(definition, { config, planned, prior: prior ?? {} }, change);
    const replace =
      prior === null ? [] : [...replacements(attributes, prior, result), ...changed(change, prior, result)];
    return {
      plannedState: encodeObject(attributes, result, 'plan'),
      requiresReplace: replace.flatMap(({ path }) => pathOf(attributes, path) ?? []),
      plannedPrivate: encodePrivate(change.private ?? kept),
      diagnostics: runner.told(attributes, [...(change.diagnostics ?? []), ...warnings(name, replace)]),
    };
  });
  return ran.is === 'done' ? ran.value : { diagnostics: runner.told(attributes, [ran.diagnostic]) };
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
  const job = { what: `plan the destruction of ${name}` };
  const kept = decodePrivate(request.priorPrivate);
  const ran = await runner.run(job, call, (given) => definition.planDelete?.({ ...given, prior, private: kept }) ?? []);
  return {
    plannedState: encodeObject(attributes, null, 'plan'),
    plannedPrivate: request.priorPrivate,
    diagnostics: runner.told(attributes, ran.is === 'done' ? ran.value : [ran.diagnostic]),
  };
}

interface Planning {
  readonly config: ValueRecord;
  readonly planned: PlannedOf<Attributes>;
  readonly prior: ValueRecord;
}

/**
 * What the handler plans otherwise. The user's own values are not its to change, or core would refuse the plan; but what means the
 * same as before may stay as it was.
 */
function applyChange(
  { attributes, name }: Definition,
  { config, planned, prior }: Planning,
  { values = {} }: PlanChange<Attributes>,
): ValueRecord {
  for (const [key, value] of Object.entries(values)) {
    const attribute = attributes[key];
    if (attribute === undefined) throw new Error(`The plan of ${name} names ${key}, which is no attribute.`);
    const standing = { given: config[key] ?? null, prior: prior[key] ?? null, planned: planned[key] ?? null };
    if (!isAllowed(attribute, value ?? null, standing)) {
      throw new Error(`The plan of ${name} changes ${key}, which is the user's to set.`);
    }
  }
  return complete(attributes, { ...planned, ...values } as ValueRecord);
}

interface Standing {
  readonly given: Value;
  readonly prior: Value;
  readonly planned: Value;
}

/** Whether core takes it: what was not given is the provider's to choose; what was given stays so, or stays what it was. */
function isAllowed(attribute: Attribute, value: Value, { given, prior, planned }: Standing): boolean {
  if (isSame(attribute.type, value, planned)) return true;
  return given === null ? isComputed(attribute) : prior !== null && isSame(attribute.type, value, prior);
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
