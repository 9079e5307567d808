/**
 * What the operator's rules (model/pod-rules.ts) make of a pod: classes, scheduler, tolerations and node selector on the host, what
 * is refused, and what its author is told about a pod that runs with less than it asked for.
 */
import type { PodSpec } from '../../model/kubernetes.ts';
import type { PodRules } from '../../model/pod-rules.ts';
import { equal } from '../../translate/equality.ts';
import { isJson } from './rewriting.ts';

const any = '*';
const defaultScheduler = 'default-scheduler';
/** Made by Kubernetes itself; a virtual cluster's own have them without harm, because they do not leave it (POD-02). */
const systemClasses = /^system-(node|cluster)-critical$/u;

/** The fields of the host spec that the operator has a say in; they replace the tenant's. */
export function ruledFields(spec: PodSpec, rules: PodRules): Partial<PodSpec> {
  const { nodeSelector } = spec;
  const selector = { ...(isJson(nodeSelector) && nodeSelector), ...rules.nodeSelector };
  const tolerations = tolerationsOf(spec, rules);
  const priorityClassName = priorityClassOf(spec, rules);
  return {
    ...(Object.keys(selector).length > 0 && { nodeSelector: selector }),
    ...(spec.tolerations || tolerations.length > 0 ? { tolerations } : {}),
    ...(priorityClassName !== '' && { priorityClassName }),
    ...(rules.runtimeClass !== '' && { runtimeClassName: rules.runtimeClass }),
    ...(isForeignScheduler(spec, rules) && { schedulerName: defaultScheduler }),
  };
}

/** Why a pod may not be created under the rules (POD-02, POD-106); undefined when it may. */
export function ruleRefusal(spec: PodSpec, rules: PodRules): string | undefined {
  const priorityClass = textAt(spec, 'priorityClassName');
  const isDenied = rules.priorityClasses.length > 0 && !systemClasses.test(priorityClass);
  if (isDenied && priorityClass !== '' && !allows(rules.priorityClasses, priorityClass))
    return notAllowed('priority class', priorityClass, rules.priorityClasses);
  const runtimeClass = textAt(spec, 'runtimeClassName');
  if (rules.runtimeClass === '' && runtimeClass !== '' && !allows(rules.runtimeClasses, runtimeClass))
    return notAllowed('runtime class', runtimeClass, rules.runtimeClasses);
  const driver = inlineDrivers(spec).find((each) => !allows(rules.inlineCsiDrivers, each));
  return driver === undefined ? undefined : notAllowed('inline CSI driver', driver, rules.inlineCsiDrivers);
}

/** What the author of a pod should know about how it runs under the rules (POD-44, POD-60). */
export function ruleWarnings(spec: PodSpec, rules: PodRules): readonly string[] {
  const denied = (spec.tolerations ?? []).filter((toleration) => isDeniedToleration(toleration, rules));
  const keys = [...new Set(denied.map((toleration) => textAt(toleration, 'key')))];
  return [
    ...keys.map((key) =>
      key === ''
        ? 'A toleration of every taint was left out: in this virtual cluster tolerations name the taints that they mean.'
        : `The toleration of taint ${key} was left out: it is not allowed in this virtual cluster.`,
    ),
    ...(isForeignScheduler(spec, rules)
      ? [`Scheduler ${textAt(spec, 'schedulerName')} is not known here; the pod is left to the default scheduler.`]
      : []),
  ];
}

/** The tenant's tolerations that are allowed, and the operator's (POD-60, POD-82). */
function tolerationsOf({ tolerations = [] }: PodSpec, rules: PodRules): readonly Readonly<Record<string, unknown>>[] {
  const own = tolerations.filter((toleration) => !isDeniedToleration(toleration, rules));
  const enforced = rules.tolerations.filter((wanted) => !own.some((have) => equal(have, wanted)));
  return [...own, ...enforced.map((toleration) => ({ ...toleration }))];
}

function isDeniedToleration(toleration: Readonly<Record<string, unknown>>, { deniedTolerations }: PodRules): boolean {
  const key = textAt(toleration, 'key');
  return deniedTolerations.includes(key === '' ? any : key);
}

/**
 * The class that the host is asked for: the tenant's where it may name one, else the operator's default. The priority itself is
 * always the host's to compute (POD-53, POD-54).
 */
function priorityClassOf(spec: PodSpec, { priorityClasses, defaultPriorityClass }: PodRules): string {
  const wanted = textAt(spec, 'priorityClassName');
  const mayKeep = systemClasses.test(wanted) ? priorityClasses.includes(wanted) : allows(priorityClasses, wanted);
  return wanted !== '' && mayKeep ? wanted : defaultPriorityClass;
}

function isForeignScheduler(spec: PodSpec, { schedulerNames }: PodRules): boolean {
  const name = textAt(spec, 'schedulerName');
  return name !== '' && name !== defaultScheduler && !allows(schedulerNames, name);
}

/** Attributes of an inline volume reach the driver untranslated, and may name objects of the host (POD-106). */
function inlineDrivers({ volumes = [] }: PodSpec): readonly string[] {
  return volumes.flatMap(({ csi }) => (isJson(csi) ? [textAt(csi, 'driver')] : []));
}

function allows(names: readonly string[], name: string): boolean {
  return names.includes(any) || names.includes(name);
}

function notAllowed(what: string, name: string, allowed: readonly string[]): string {
  const instead = allowed.length === 0 ? 'None is.' : `Allowed are: ${allowed.join(', ')}.`;
  return `The ${what} ${name} is not allowed in this virtual cluster. ${instead}`;
}

function textAt(object: Readonly<Record<string, unknown>>, field: string): string {
  const value = object[field];
  return typeof value === 'string' ? value : '';
}
