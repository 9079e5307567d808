/** Says of a snapshot what works and what does not, and in which phase that is. Pure: the same snapshot, the same words. */
import { containerStatuses } from './pods.ts';
import type { ContainerStatus, Pod, StatefulSet } from './pods.ts';
import { isPaused, kubeconfigSecretName } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Pending: not ready yet, for the first time. Running: all ready. Degraded: was ready, is not. Paused. Failed: its release is.
 * Terminating: being deleted.
 */
export type Phase = 'Pending' | 'Running' | 'Degraded' | 'Paused' | 'Failed' | 'Terminating';

export type ConditionType = 'ReleaseDeployed' | 'ControlPlaneReady' | 'SyncerReady' | 'KubeconfigPublished';

export interface Condition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word, such as `ImagePullBackOff`; empty when True. */
  readonly reason: string;
  /** For people; empty when True. */
  readonly message: string;
}

/** The syncer is ready when the whole virtual cluster is: DNS applied, kubeconfig written. */
const syncer = 'syncer';

/** One of each type, always in the same order. */
export function conditionsOf(snapshot: Snapshot): readonly Condition[] {
  return [released(snapshot), controlPlane(snapshot), syncing(snapshot), published(snapshot)];
}

/** The phase that follows from it. */
export function phaseOf(snapshot: Snapshot, conditions: readonly Condition[]): Phase {
  const { release, statefulSet, secret } = snapshot;
  const isGoing = statefulSet?.metadata.deletionTimestamp !== undefined || release?.status === 'uninstalling';
  if (isGoing) return 'Terminating';
  if (release?.status === 'failed') return 'Failed';
  if (isPaused(statefulSet)) return 'Paused';
  if (conditions.every(({ status }) => status === 'True')) return 'Running';
  // Published once is ready once.
  return secret === undefined ? 'Pending' : 'Degraded';
}

/** Whether it can be used, by the newest of its templates. */
export function isReady({ statefulSet, pods, secret }: Snapshot): boolean {
  if (statefulSet === undefined || isPaused(statefulSet)) return false;
  const isPublished = secret?.data?.['config'] !== undefined;
  return isPublished && hasSettled(statefulSet) && livePods(pods).length >= (statefulSet.spec.replicas ?? 1);
}

/** Its controller has seen the newest template, and all pods are of it and ready. */
export function hasSettled({ spec, metadata, status = {} }: StatefulSet): boolean {
  const { observedGeneration = 0, updatedReplicas = 0, readyReplicas = 0 } = status;
  const isSeen = observedGeneration >= (metadata.generation ?? 0);
  return isSeen && Math.min(updatedReplicas, readyReplicas) >= (spec.replicas ?? 1);
}

/** Without those that are on their way out. */
export function livePods(pods: readonly Pod[]): readonly Pod[] {
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

function condition(type: ConditionType, problem?: Problem): Condition {
  if (problem === undefined) return { type, status: 'True', reason: '', message: '' };
  return { type, status: 'False', ...problem };
}

function released({ release }: Snapshot): Condition {
  const type = 'ReleaseDeployed';
  if (release === undefined) return condition(type, { reason: 'Missing', message: 'There is no Helm release.' });
  if (release.status === 'deployed') return condition(type);
  return condition(type, { reason: release.status, message: release.description });
}

function published({ secret, name }: Snapshot): Condition {
  const type = 'KubeconfigPublished';
  if (secret?.data?.['config'] !== undefined) return condition(type);
  return condition(type, { reason: 'Missing', message: `There is no Secret ${kubeconfigSecretName(name)}.` });
}

function controlPlane(snapshot: Snapshot): Condition {
  return podCondition('ControlPlaneReady', snapshot, ({ name }) => name !== syncer);
}

function syncing(snapshot: Snapshot): Condition {
  return podCondition('SyncerReady', snapshot, ({ name }) => name === syncer);
}

function podCondition(
  type: ConditionType,
  { statefulSet, pods }: Snapshot,
  isMeant: (container: ContainerStatus) => boolean,
): Condition {
  if (statefulSet === undefined) return condition(type, { reason: 'Missing', message: 'There is no StatefulSet.' });
  if (isPaused(statefulSet)) return condition(type, { reason: 'Paused', message: 'It is paused.' });
  const live = livePods(pods);
  if (live.length < (statefulSet.spec.replicas ?? 1)) {
    return condition(type, { reason: 'NoPod', message: 'Its pod is not there.' });
  }
  const problem = live.map((pod) => podProblem(pod, isMeant)).find((found) => found !== undefined);
  return condition(type, problem);
}

interface Problem {
  readonly reason: string;
  readonly message: string;
}

function podProblem(pod: Pod, isMeant: (container: ContainerStatus) => boolean): Problem | undefined {
  const statuses = containerStatuses(pod).filter(isMeant);
  const { name } = pod.metadata;
  if (statuses.length === 0) {
    const { reason = 'Pending', message = `Pod ${name} has not started.` } = unscheduled(pod) ?? {};
    return { reason, message };
  }
  const failing = statuses.find(({ ready }) => !ready);
  return failing && containerProblem(name, failing);
}

function unscheduled({ status }: Pod): { readonly reason?: string; readonly message?: string } | undefined {
  return status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
}

function containerProblem(pod: string, { name, state = {} }: ContainerStatus): Problem {
  const reason = state.waiting?.reason ?? state.terminated?.reason ?? 'NotReady';
  const said = state.waiting?.message ?? state.terminated?.message;
  return { reason, message: `Container ${name} of pod ${pod} is not ready${said === undefined ? '.' : `: ${said}`}` };
}
