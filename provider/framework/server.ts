/**
 * A declared provider as the wire serves it: one handler per RPC of protocol 6. RPCs that are not here (resource identity,
 * actions and others that newer cores may ask for) are answered "unimplemented" by the wire, which cores take as "none".
 *
 * Invariant: no RPC fails. What goes wrong is a diagnostic in its answer.
 */
import type { Call as WireCall, ProviderService, Surroundings } from '../wire/service.ts';
import type { Draft } from '../wire/tables.ts';
import type * as wire from '../wire/tfplugin6.ts';
import { decodeObject } from './codec.ts';
import type { ProviderType } from './define-provider.ts';
import { failure } from './diagnostics.ts';
import { callFunction } from './function-server.ts';
import { closeEphemeral, openEphemeral, readDataSource, renewEphemeral, validateOther } from './other-server.ts';
import { diagnosticsOf } from './paths.ts';
import { withDefaults } from './plan.ts';
import { secretsIn } from './redact.ts';
import { applyResource } from './resource-apply.ts';
import { importResource, planResource, readResource, upgradeResource, validateResource } from './resource-plan.ts';
import { Runner } from './running.ts';
import { functionSchemaOf, schemaOf } from './schema.ts';
import { validate } from './validate.ts';

type Handlers = ProviderService['handlers'];

const serverCapabilities: Draft<wire.ServerCapabilities> = {
  planDestroy: true,
  getProviderSchemaOptional: true,
  moveResourceState: false,
};

/** Makes a service of a declared provider. */
export function serviceOf(provider: ProviderType, { log, secrets }: Surroundings): ProviderService {
  const runner = new Runner(log, secrets);
  return {
    handlers: {
      ...describingHandlers(provider),
      ...configuringHandlers(provider, runner),
      ...resourceHandlers(provider, runner),
      ...otherHandlers(provider, runner),
      StopProvider: (_, call) => {
        runner.log.info('Asked to stop');
        runner.stop(call);
        return {};
      },
    },
    close: async () => {
      const { configuration } = runner;
      if (configuration !== undefined) await provider.close?.(configuration);
    },
  };
}

/** Answers that depend on nothing but the declarations. */
function describingHandlers(
  provider: ProviderType,
): Pick<Handlers, 'GetMetadata' | 'GetProviderSchema' | 'GetFunctions'> {
  const { resources, dataSources, ephemerals, functions } = provider;
  const typeNames = (types: readonly { readonly name: string }[]): { readonly typeName: string }[] =>
    types.map(({ name }) => ({ typeName: name }));
  const functionSchemas = (): Record<string, Draft<wire.FunctionSchema>> =>
    Object.fromEntries(functions.map((declared) => [declared.name, functionSchemaOf(declared)]));
  return {
    GetMetadata: () => ({
      serverCapabilities,
      resources: typeNames(resources),
      dataSources: typeNames(dataSources),
      ephemeralResources: typeNames(ephemerals),
      functions: functions.map(({ name }) => ({ name })),
    }),
    GetProviderSchema: () => ({
      serverCapabilities,
      provider: schemaOf(provider.attributes, provider.doc),
      resourceSchemas: schemasOf(resources),
      dataSourceSchemas: schemasOf(dataSources),
      ephemeralResourceSchemas: schemasOf(ephemerals),
      functions: functionSchemas(),
    }),
    GetFunctions: () => ({ functions: functionSchemas() }),
  };
}

interface Described {
  readonly name: string;
  readonly definition: {
    readonly attributes: ProviderType['attributes'];
    readonly doc: string;
    readonly version?: number;
  };
}

function schemasOf(types: readonly Described[]): Record<string, Draft<wire.Schema>> {
  return Object.fromEntries(
    types.map(({ name, definition }) => [name, schemaOf(definition.attributes, definition.doc, definition.version)]),
  );
}

function configuringHandlers(
  provider: ProviderType,
  runner: Runner,
): Pick<Handlers, 'ValidateProviderConfig' | 'ConfigureProvider'> {
  const { attributes, name } = provider;
  return {
    ValidateProviderConfig: async (request, call) => {
      const ran = await runner.run({ what: `validate the configuration of provider ${name}` }, call, () => {
        const config = decodeObject(attributes, request.config, 'configuration') ?? {};
        runner.hide(secretsIn(attributes, config));
        return validate(attributes, config, provider.validate);
      });
      return { diagnostics: runner.told(attributes, ran.is === 'done' ? ran.value : [ran.diagnostic]) };
    },
    ConfigureProvider: async (request, call) => {
      const ran = await runner.run({ what: `configure provider ${name}` }, call, ({ log }) => {
        const config = withDefaults(attributes, decodeObject(attributes, request.config, 'configuration') ?? {});
        runner.hide(secretsIn(attributes, config));
        runner.configured(provider.configure(config, log));
      });
      return ran.is === 'done' ? {} : { diagnostics: runner.told(attributes, [ran.diagnostic]) };
    },
  };
}

type ResourceRpc =
  | 'ValidateResourceConfig'
  | 'UpgradeResourceState'
  | 'ReadResource'
  | 'PlanResourceChange'
  | 'ApplyResourceChange'
  | 'ImportResourceState'
  | 'MoveResourceState';

function resourceHandlers({ resources }: ProviderType, runner: Runner): Pick<Handlers, ResourceRpc> {
  const byName = new Map(resources.map((resource) => [resource.name, resource.definition]));
  const on = dispatcher(byName, 'resource', runner);
  return {
    ValidateResourceConfig: on(validateResource),
    UpgradeResourceState: on(upgradeResource),
    ReadResource: on(readResource),
    PlanResourceChange: on(planResource),
    ApplyResourceChange: on(applyResource),
    ImportResourceState: on(importResource),
    MoveResourceState: (request) => ({
      diagnostics: [
        error(
          `${request.sourceTypeName} cannot be moved to ${request.targetTypeName}`,
          'There is no rule by which its state could be translated. Import the object instead (an `import` block), and ' +
            'let Terraform forget the old resource (a `removed` block).',
        ),
      ],
    }),
  };
}

type OtherRpc =
  | 'ValidateDataResourceConfig'
  | 'ReadDataSource'
  | 'ValidateEphemeralResourceConfig'
  | 'OpenEphemeralResource'
  | 'RenewEphemeralResource'
  | 'CloseEphemeralResource'
  | 'CallFunction';

function otherHandlers({ dataSources, ephemerals, functions }: ProviderType, runner: Runner): Pick<Handlers, OtherRpc> {
  const onData = dispatcher(new Map(dataSources.map((one) => [one.name, one.definition])), 'data source', runner);
  const onEphemeral = dispatcher(new Map(ephemerals.map((one) => [one.name, one.definition])), 'ephemeral', runner);
  const functionsByName = new Map(functions.map((one) => [one.name, one.definition]));
  return {
    ValidateDataResourceConfig: onData(validateOther),
    ReadDataSource: onData(readDataSource),
    ValidateEphemeralResourceConfig: onEphemeral(validateOther),
    OpenEphemeralResource: onEphemeral(openEphemeral),
    RenewEphemeralResource: onEphemeral(renewEphemeral),
    CloseEphemeralResource: onEphemeral(closeEphemeral),
    CallFunction: (request) => callFunction(functionsByName.get(request.name), request, runner.log),
  };
}

interface Named {
  readonly typeName: string;
}

type Handler<D, Q, A> = (definition: D, request: Q, runner: Runner, call: WireCall) => Promise<A>;

/** Finds the definition that a request is about, and makes a diagnostic of what even decoding can throw. */
function dispatcher<D>(byName: ReadonlyMap<string, D>, kind: string, runner: Runner) {
  return <Q extends Named, A extends { readonly diagnostics?: readonly Draft<wire.Diagnostic>[] | undefined }>(
    handle: Handler<D, Q, A>,
  ): ((request: Q, call: WireCall) => Promise<A | { readonly diagnostics: readonly Draft<wire.Diagnostic>[] }>) =>
    async (request, call) => {
      const definition = byName.get(request.typeName);
      if (definition === undefined) {
        return { diagnostics: [error(`Unknown ${kind}`, `This provider has no ${kind} ${request.typeName}.`)] };
      }
      const ran = await runner.run({ what: `answer for ${request.typeName}` }, call, () =>
        handle(definition, request, runner, call),
      );
      return ran.is === 'done' ? ran.value : { diagnostics: runner.told({}, [ran.diagnostic]) };
    };
}

function error(summary: string, detail: string): Draft<wire.Diagnostic> {
  const [diagnostic] = diagnosticsOf({}, [failure(summary, detail)]);
  return diagnostic ?? {};
}
