/**
 * The flag `--values`: the options that decide about pods, as the chart hands them over, made into what translation reads.
 * Checked here once more, because a Role allows to change a StatefulSet past the chart.
 */
import { completeValues } from '../config/complete.ts';
import { options } from '../config/options.ts';
import type { Values } from '../config/options.ts';
import { valuesProblems } from '../config/parse.ts';
import { ConfigurationError } from './model/errors.ts';
import type { HostsWriter, PodRules, Toleration } from './model/pod-rules.ts';

export interface OwnImage {
  /** Empty outside of a release: then only an image of the options can write hosts files. */
  readonly image: string;
  readonly pullPolicy: string;
  readonly pullSecrets: readonly string[];
}

/** @throws ConfigurationError with the path of every key that is wrong */
export function parsePodRules(json: string, own: OwnImage): PodRules {
  const values = parseJson(json);
  const problems = valuesProblems(values);
  if (problems.length > 0) throw new ConfigurationError(`--values cannot be used:\n${problems.join('\n')}`);
  const { sync, policies } = values as Values;
  const { toHost, fromHost } = completeValues(options.sync, sync);
  const { pods } = toHost;
  return {
    security: completeValues(options.policies, policies).podSecurityStandard,
    hostsWriter: hostsWriterOf(pods.rewriteHosts, own),
    nodeSelector: fromHost.nodes.selector.labels,
    tolerations: pods.enforceTolerations.map(parseToleration),
    deniedTolerations: pods.denyTolerations,
    schedulerNames: pods.schedulerNames,
    priorityClasses: pods.priorityClasses,
    runtimeClasses: pods.runtimeClasses,
    inlineCsiDrivers: pods.inlineCsiDrivers,
    defaultPriorityClass: pods.priorityClassName,
    runtimeClass: pods.runtimeClassName,
    images: pods.translateImage,
  };
}

interface RewriteHosts {
  readonly enabled: boolean;
  readonly initContainer: {
    readonly image: string;
    readonly resources: Partial<HostsWriter['resources']>;
  };
}

function hostsWriterOf({ enabled, initContainer }: RewriteHosts, own: OwnImage): HostsWriter | undefined {
  const image = initContainer.image === '' ? own.image : initContainer.image;
  if (!enabled || image === '') return undefined;
  const { requests, limits } = initContainer.resources;
  return { image, pullPolicy: own.pullPolicy, pullSecrets: own.pullSecrets, resources: { requests, limits } };
}

/** `key=value:effect` or `key:effect`, as the option's form has it. */
function parseToleration(text: string): Toleration {
  const colon = text.lastIndexOf(':');
  const [key = '', value] = text.slice(0, colon).split('=');
  const effect = text.slice(colon + 1);
  return value === undefined ? { key, operator: 'Exists', effect } : { key, operator: 'Equal', value, effect };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new ConfigurationError('--values is not JSON.', { cause });
  }
}
