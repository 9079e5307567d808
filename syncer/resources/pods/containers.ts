/**
 * Containers on their way to the host: environment and nothing else. Images, resources, probes, security contexts and whatever
 * field a later Kubernetes adds pass as the tenant wrote them; the host's own admission is what limits them (POD-62).
 */
import type { Container, EnvVar } from '../../model/kubernetes.ts';
import type { StringMap } from '../../model/object.ts';
import { changed, renamed, withHostField } from './rewriting.ts';
import type { Json, Rewriting } from './rewriting.ts';

/** Kinds of `valueFrom` and of `envFrom` that are known to be safe or are rewritten; anything else is refused (POD-109). */
export const knownValueSources: ReadonlySet<string> = new Set([
  'fieldRef',
  'resourceFieldRef',
  'fileKeyRef',
  'configMapKeyRef',
  'secretKeyRef',
]);
export const knownEnvSources: ReadonlySet<string> = new Set(['prefix', 'configMapRef', 'secretRef']);

export function containerToHost(container: Container, rewriting: Rewriting): Container {
  const { env, envFrom } = container;
  return {
    ...container,
    ...(env && { env: env.map((variable) => variableToHost(variable, rewriting)) }),
    ...(envFrom && { envFrom: envFrom.map((source) => envSourceToHost(source, rewriting)) }),
  };
}

/**
 * Variables that Kubernetes itself gives every container. They come first, so that `$(NAME)` in the tenant's own can refer to
 * them, and never replace one of the tenant's (POD-70).
 */
export function withVariables(container: Container, variables: StringMap): Container {
  const own = container.env ?? [];
  const taken = new Set(own.map((variable) => variable.name));
  const given = Object.entries(variables)
    .filter(([name]) => !taken.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value }));
  return { ...container, env: [...given, ...own] };
}

function variableToHost(variable: EnvVar, rewriting: Rewriting): EnvVar {
  return changed(variable, 'valueFrom', (source) => {
    const fromConfigMap = changed(source, 'configMapKeyRef', (inner) => renamed(inner, 'name', 'configMap', rewriting));
    const fromSecret = changed(fromConfigMap, 'secretKeyRef', (inner) => renamed(inner, 'name', 'secret', rewriting));
    return withHostField(fromSecret, rewriting);
  });
}

function envSourceToHost(source: Json, rewriting: Rewriting): Json {
  const fromConfigMap = changed(source, 'configMapRef', (inner) => renamed(inner, 'name', 'configMap', rewriting));
  return changed(fromConfigMap, 'secretRef', (inner) => renamed(inner, 'name', 'secret', rewriting));
}
