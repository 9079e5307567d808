/**
 * Carries out what was planned for one resource: create, update or delete.
 *
 * Invariant: nothing that was made is lost. Whatever happens, the answer holds the best known state: the handler's result,
 * else its last checkpoint, else what was there before.
 */
import type { Call as WireCall } from '../wire/service.ts';
import type { Draft } from '../wire/tables.ts';
import type * as wire from '../wire/tfplugin6.ts';
import type { Attributes } from './attributes.ts';
import type { Call, Private } from './call.ts';
import { complete, decodeObject, decodePrivate, encodeObject, encodePrivate, isImpossible } from './codec.ts';
import { differences, leftUnknown } from './conformance.ts';
import { type Diagnostic, failure, hasError } from './diagnostics.ts';
import { withoutUnknown, withoutWriteOnly } from './plan.ts';
import { secretsIn } from './redact.ts';
import type { Checkpoint, Outcome } from './resource.ts';
import type { Definition } from './resource-plan.ts';
import type { Runner } from './running.ts';
import { timeoutMs, type Operation } from './timeouts.ts';
import { validate } from './validate.ts';
import type { Value, ValueRecord } from './values.ts';

/** What is kept when the handler throws. */
interface Kept {
  readonly state: ValueRecord | null;
  readonly private: Private;
}

interface Change {
  readonly operation: Operation;
  readonly prior: ValueRecord | null;
  readonly planned: ValueRecord | null;
  readonly config: ValueRecord;
  readonly private: Private;
}

export async function applyResource(
  definition: Definition,
  request: wire.ApplyResourceChangeRequest,
  runner: Runner,
  call: WireCall,
): Promise<Draft<wire.ApplyResourceChangeResponse>> {
  const { attributes, name } = definition;
  const change = changeOf(attributes, request);
  const { operation, prior, planned, config } = change;
  runner.hide([prior, planned, config].flatMap((values) => secretsIn(attributes, values)));
  const before: Kept = { state: prior, private: change.private };
  const invalid = planned === null ? [] : validate(attributes, config, definition.validate).filter(isError);
  if (invalid.length > 0) return answer(attributes, before, invalid, runner);
  let kept = before;
  const checkpoint: Checkpoint<Attributes> = (state, also) => {
    kept = { state: { ...state }, private: also ?? kept.private };
  };
  const job = { what: `${operation} ${name}`, timeoutMs: timeoutMs(attributes, operation, planned ?? prior ?? {}) };
  const ran = await runner.run(job, call, (given) => perform(definition, change, given, checkpoint));
  if (ran.is === 'failed') return answer(attributes, kept, [ran.diagnostic], runner);
  const { state = kept.state, diagnostics = [], private: also = kept.private } = ran.value;
  const result = state && withoutWriteOnly(attributes, complete(attributes, state));
  const found = [...diagnostics, ...bugs(attributes, planned, result, diagnostics)];
  return answer(attributes, { state: result, private: also }, found, runner);
}

function changeOf(attributes: Attributes, request: wire.ApplyResourceChangeRequest): Change {
  const prior = decodeObject(attributes, request.priorState, 'state');
  const planned = decodeObject(attributes, request.plannedState, 'plan');
  const config = decodeObject(attributes, request.config, 'configuration') ?? {};
  const operation = planned === null ? 'delete' : prior === null ? 'create' : 'update';
  return { operation, prior, planned, config, private: decodePrivate(request.plannedPrivate) };
}

/** Without a state: what was kept last is still there. */
type Result = Pick<Outcome<Attributes>, 'private' | 'diagnostics'> & { readonly state?: ValueRecord | null };

async function perform(
  definition: Definition,
  { prior, planned, config, private: kept }: Change,
  given: Call<unknown>,
  checkpoint: Checkpoint<Attributes>,
): Promise<Result> {
  const call = { ...given, private: kept, checkpoint };
  if (planned === null) {
    const diagnostics = (await definition.delete({ ...call, prior: prior ?? {} })) ?? [];
    return hasError(diagnostics) ? { diagnostics } : { state: null, diagnostics };
  }
  return prior === null
    ? definition.create({ ...call, config, planned })
    : definition.update({ ...call, config, planned, prior });
}

/** Beside an error of the handler's own, a state is partial and may differ from the plan. */
function bugs(
  attributes: Attributes,
  planned: ValueRecord | null,
  result: ValueRecord | null,
  own: readonly Diagnostic[],
): readonly Diagnostic[] {
  if (planned === null || result === null || hasError(own)) return [];
  return [...leftUnknown(result), ...differences(attributes, planned, result)];
}

function answer(
  attributes: Attributes,
  { state, private: kept }: Kept,
  diagnostics: readonly Diagnostic[],
  runner: Runner,
): Draft<wire.ApplyResourceChangeResponse> {
  const known = state && (withoutUnknown(withoutWriteOnly(attributes, state)) as ValueRecord);
  const { newState, broken } = encoded(attributes, known);
  const bug = broken.map((name) =>
    failure(
      'The provider made a value of the wrong type',
      `This is a bug of the provider, please report it. ${name} is not recorded.`,
      [name],
    ),
  );
  return { newState, private: encodePrivate(kept), diagnostics: runner.told(attributes, [...diagnostics, ...bug]) };
}

/** A state in which one attribute is impossible must not cost the others: the object exists. */
function encoded(
  attributes: Attributes,
  state: ValueRecord | null,
): { readonly newState: Draft<wire.DynamicValue>; readonly broken: readonly string[] } {
  try {
    return { newState: encodeObject(attributes, state, 'state'), broken: [] };
  } catch (error) {
    if (!isImpossible(error) || state === null) throw error;
    const possible = (name: string, value: Value): boolean => canHold(attributes, name, value);
    const broken = Object.keys(state).filter((name) => !possible(name, state[name] ?? null));
    const rest = Object.fromEntries(Object.entries(state).filter(([name]) => !broken.includes(name)));
    return { newState: encodeObject(attributes, rest, 'state'), broken };
  }
}

function canHold(attributes: Attributes, name: string, value: Value): boolean {
  const attribute = attributes[name];
  if (attribute === undefined) return false;
  try {
    encodeObject({ [name]: attribute }, { [name]: value }, 'state');
    return true;
  } catch (error) {
    if (isImpossible(error)) return false;
    throw error;
  }
}

function isError(diagnostic: Diagnostic): boolean {
  return diagnostic.severity === 'error';
}
