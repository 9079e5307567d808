/**
 * Calls functions.
 */
import type { Log } from '../wire/log.ts';
import type { Draft } from '../wire/tables.ts';
import type { CallFunctionRequest, CallFunctionResponse } from '../wire/tfplugin6.ts';
import type { Type } from './attributes.ts';
import { decodeOne, encodeOne } from './codec.ts';
import { ArgumentError, type FunctionDefinition, type Parameter } from './function.ts';

type Definition = FunctionDefinition<readonly Parameter[], Type>;

/** Calls a function. Arguments may be secrets: neither they nor an unforeseen error's words get into answer or log. */
export function callFunction(
  definition: Definition | undefined,
  request: CallFunctionRequest,
  log: Log,
): Draft<CallFunctionResponse> {
  if (definition === undefined) return { error: { text: `this provider has no function ${request.name}` } };
  try {
    const args = definition.parameters.map((parameter, index) => argument(parameter, request, index));
    const result = definition.run(...args) as Parameters<typeof encodeOne>[1];
    return { result: encodeOne(definition.returns, result, `result of ${definition.name}`) };
  } catch (error) {
    if (error instanceof ArgumentError) return { error: { text: error.message, functionArgument: error.argument } };
    log.error('Bug of the provider', { function: definition.name, error: whereOf(error) });
    return {
      error: { text: `this is a bug of the provider, please report it: ${definition.name} failed unforeseen` },
    };
  }
}

function argument(parameter: Parameter, request: CallFunctionRequest, index: number): never {
  const wire = request.arguments[index];
  if (wire === undefined) throw new ArgumentError(index, `the argument ${parameter.name} is missing`);
  try {
    // The tuple of the declaration's own types was forgotten; what is decoded by the same types fits it.
    return decodeOne(parameter.type, wire, parameter.name) as never;
  } catch (cause) {
    throw new ArgumentError(index, 'it cannot be used: a number in it is too long, or its type is wrong', { cause });
  }
}

/** Only the places of the stack: a message could quote an argument. */
function whereOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = (error.stack ?? '').split('\n').filter((line) => line.trimStart().startsWith('at '));
  return [error.name, ...frames].join('\n');
}
