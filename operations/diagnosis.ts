/**
 * Why a virtual cluster is not ready, in words: what the host says about its pod, its volume and its containers, and what to do.
 * Pure; reading is symptoms.ts' business.
 */
import { livePods } from './conditions.ts';
import { containersOf, containerStatuses } from './pods.ts';
import type { ContainerStatus, Pod, Terminated } from './pods.ts';
import { isPaused, kubeconfigSecretName } from './snapshot.ts';
import type { HostEvent, Symptoms } from './symptoms.ts';
import { claimWords } from './volume-words.ts';
import type { Finding } from './volume-words.ts';

export interface Diagnosis extends Finding {
  /** Whose last lines tell more. */
  readonly logsOf?: { readonly pod: string; readonly container: string; readonly previous: boolean };
}

/** The first thing that stands in the way. */
export function diagnose(symptoms: Symptoms): Diagnosis {
  const { snapshot } = symptoms;
  const { release, statefulSet, pods, namespace, name } = snapshot;
  if (statefulSet === undefined) {
    const state = release === undefined ? 'There is no Helm release' : `Its Helm release is ${release.status}`;
    return { problem: `${state}, and no StatefulSet ${namespace}/${name}.`, advice: 'Apply again.', stuck: true };
  }
  if (isPaused(statefulSet)) {
    return { problem: 'It is paused.', advice: 'Resume it (pause = false).', stuck: true };
  }
  const live = livePods(pods);
  const pod = live.find((each) => !isPodReady(each)) ?? live[0];
  if (pod === undefined) return withoutPod(symptoms);
  return unplaced(symptoms, pod) ?? failing(symptoms, pod) ?? unready(symptoms, pod);
}

function isPodReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
}

/** The newest event of a kind about an object. */
function eventAbout({ events }: Symptoms, kind: string, name: string, reason: RegExp): HostEvent | undefined {
  return events
    .filter(
      ({ involvedObject, reason: is = '' }) =>
        involvedObject.kind === kind && involvedObject.name === name && reason.test(is),
    )
    .toSorted((left, right) => timeOf(right).localeCompare(timeOf(left)))[0];
}

function timeOf({ lastTimestamp, eventTime }: HostEvent): string {
  return lastTimestamp ?? eventTime ?? '';
}

function withoutPod(symptoms: Symptoms): Diagnosis {
  const { namespace, name, statefulSet } = symptoms.snapshot;
  const refused = eventAbout(symptoms, 'StatefulSet', name, /^FailedCreate$/);
  // One that was deleted just now will be back in a moment.
  if (refused === undefined || statefulSet?.status?.replicas !== 0) {
    return {
      problem: `Pod ${namespace}/${name}-0 is not there yet.`,
      advice: 'The host makes it soon, or is busy.',
      stuck: false,
    };
  }
  const said = reasonIn(refused.message ?? '');
  return {
    problem: `The host refuses pod ${namespace}/${name}-0: ${said}.`,
    advice: refusalAdvice(said, namespace),
    stuck: true,
  };
}

/** Without the layers around it: `create Pod x in StatefulSet x failed error: pods "x" is forbidden: …`. */
function reasonIn(message: string): string {
  return message
    .replace(/^.*failed error: /, '')
    .replace(/^pods "[^"]*" is forbidden: /, '')
    .replace(/\.$/, '');
}

const refusalAdvices: readonly (readonly [RegExp, (namespace: string) => string])[] = [
  [
    /exceeded quota|failed quota/,
    (namespace) =>
      `Raise the ResourceQuota of namespace "${namespace}", or lower what the control plane asks for (controlPlane…resources).`,
  ],
  [
    /violates PodSecurity/,
    (namespace) =>
      `Namespace "${namespace}" enforces a Pod Security standard that this pod does not meet; the chart as it ships meets "restricted". Take back what was changed, or lower the label pod-security.kubernetes.io/enforce.`,
  ],
  [
    /limit|maximum|minimum/i,
    (namespace) =>
      `A LimitRange of namespace "${namespace}" does not fit what the control plane asks for; change one of them.`,
  ],
];

function refusalAdvice(said: string, namespace: string): string {
  const found = refusalAdvices.find(([pattern]) => pattern.test(said));
  return found?.[1](namespace) ?? 'Change what the host objects to, and apply again.';
}

function unplaced(symptoms: Symptoms, pod: Pod): Diagnosis | undefined {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (condition?.status === 'True' || pod.spec['nodeName'] !== undefined) return undefined;
  const place = `Pod ${pod.metadata.namespace}/${pod.metadata.name}`;
  const volume = claimWords(symptoms);
  if (volume !== undefined) return { ...volume, problem: `${place} has no volume: ${volume.problem}` };
  const said = condition?.message?.replace(/\.$/, '');
  if (said === undefined) {
    return {
      problem: `${place} has not been looked at by the host's scheduler.`,
      advice: 'Is a scheduler running?',
      stuck: false,
    };
  }
  return {
    problem: `${place} finds no node: ${said}.`,
    advice:
      'Make room or add nodes, or lower what the control plane asks for (controlPlane…resources) and where it may run ' +
      '(controlPlane.statefulSet.scheduling).',
    stuck: true,
  };
}

function failing(symptoms: Symptoms, pod: Pod): Diagnosis | undefined {
  const statuses = containerStatuses(pod);
  const found = statuses.find((status) => failureOf(symptoms, pod, status) !== undefined);
  return found && failureOf(symptoms, pod, found);
}

const imageReasons =
  /^(ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|ErrImageInspect|RegistryUnavailable)$/;

function failureOf(symptoms: Symptoms, pod: Pod, status: ContainerStatus): Diagnosis | undefined {
  const { name, state = {} } = status;
  const { reason = '', message } = state.waiting ?? {};
  if (imageReasons.test(reason)) return imageFailure(symptoms, pod, { name, reason, message });
  if (/^Create.*Error$|^RunContainerError$/.test(reason)) {
    const said = (message ?? reason).replace(/\.$/, '');
    return {
      problem: `${placeOf(pod, name)} cannot be started: ${said}.`,
      advice: 'Correct what it names, and apply again.',
      stuck: true,
    };
  }
  const ended = endOf(status);
  return ended && endFailure(pod, status, ended);
}

function placeOf({ metadata }: Pod, container: string): string {
  return `Container ${container} of pod ${metadata.namespace}/${metadata.name}`;
}

/** How its last run ended, if that was badly and it is not up again. */
function endOf({ ready, state = {}, lastState = {} }: ContainerStatus): Terminated | undefined {
  const { terminated } = state;
  if (terminated !== undefined) return terminated.exitCode === 0 ? undefined : terminated;
  return ready ? undefined : lastState.terminated;
}

function endFailure(pod: Pod, status: ContainerStatus, ended: Terminated): Diagnosis {
  const { name, restartCount, state = {} } = status;
  return {
    problem: `${placeOf(pod, name)} ${endWords(pod, status, ended)}`,
    advice: endAdvice(ended.reason),
    stuck: restartCount > 1,
    logsOf: { pod: pod.metadata.name, container: name, previous: state.terminated === undefined },
  };
}

function imageFailure(
  symptoms: Symptoms,
  pod: Pod,
  {
    name,
    reason,
    message = '',
  }: { readonly name: string; readonly reason: string; readonly message: string | undefined },
): Diagnosis {
  const { image = '' } = containersOf(pod.spec).find((container) => container.name === name) ?? {};
  const event = eventAbout(symptoms, 'Pod', pod.metadata.name, /^(Failed|InspectFailed|ErrImageNeverPull)$/);
  // While it waits for the next try, a kubelet may say no more than that it waits; what the registry said is in an event.
  const said = /failed to|rpc error|not found|denied/i.test(message) ? message : (event?.message ?? message);
  return {
    problem: `Image ${image} of container ${name} in pod ${pod.metadata.namespace}/${pod.metadata.name} cannot be pulled (${reason}): ${registryWords(said)}.`,
    advice:
      'Does the image exist, does the node reach its registry, and may it pull (controlPlane.advanced.serviceAccount.imagePullSecrets)?',
    stuck: true,
  };
}

/** What the registry said, without what the kubelet and the runtime repeat around it. */
function registryWords(message: string): string {
  const said = message.split(/rpc error: code = \w+ desc = /).at(-1) ?? message;
  return (
    said
      .replace(/^failed to pull and unpack image "[^"]*": /, '')
      .trim()
      .replace(/\.$/, '') || 'no reason was given'
  );
}

function endWords(
  pod: Pod,
  { name, restartCount }: ContainerStatus,
  ended: { exitCode: number; reason?: string },
): string {
  const times = restartCount === 1 ? 'once' : `${restartCount} times`;
  const again = restartCount === 0 ? '' : `, and was restarted ${times}`;
  if (ended.reason === 'OOMKilled') {
    const limit = containersOf(pod.spec).find((container) => container.name === name)?.resources?.limits?.['memory'];
    return `was ended because it needed more memory than its limit${limit === undefined ? '' : ` of ${limit}`} (OOMKilled)${again}.`;
  }
  return `ended with exit code ${ended.exitCode}${ended.reason && ended.reason !== 'Error' ? ` (${ended.reason})` : ''}${again}.`;
}

function endAdvice(reason: string | undefined): string {
  if (reason === 'OOMKilled') return 'Raise its memory limit (controlPlane…resources).';
  return 'What it said last is below. Correct the values it names and apply again.';
}

/** Everything runs, and something does not serve yet. The syncer waits for all others, so it comes last. */
function unready(symptoms: Symptoms, pod: Pod): Diagnosis {
  const { snapshot } = symptoms;
  const place = `pod ${pod.metadata.namespace}/${pod.metadata.name}`;
  const isRunning = ({ ready, state }: ContainerStatus): boolean => !ready && state?.running !== undefined;
  const waiting = containerStatuses(pod).filter(isRunning);
  const found = waiting.find(({ name }) => name !== 'syncer') ?? waiting[0];
  if (found !== undefined) {
    const isAbout = ({ involvedObject }: HostEvent): boolean =>
      involvedObject.fieldPath?.endsWith(`{${found.name}}`) === true;
    const own = { ...symptoms, events: symptoms.events.filter(isAbout) };
    const event = eventAbout(own, 'Pod', pod.metadata.name, /^Unhealthy$/);
    const said = event?.message === undefined ? '' : `: ${event.message.trim().replace(/\.$/, '')}`;
    return {
      problem: `Container ${found.name} of ${place} runs but does not serve yet${said}.`,
      advice: 'What it said last is below. If it only needs longer, raise the timeout.',
      stuck: false,
      logsOf: { pod: pod.metadata.name, container: found.name, previous: false },
    };
  }
  if (!isPodReady(pod)) {
    const mount = eventAbout(symptoms, 'Pod', pod.metadata.name, /^Failed(Mount|AttachVolume|CreatePodSandBox)/);
    const said = mount?.message === undefined ? 'it is being started' : mount.message.replace(/\.$/, '');
    return {
      problem: `The ${place} does not run yet: ${said}.`,
      advice: 'Look at the node it is on.',
      stuck: mount !== undefined,
    };
  }
  return {
    problem: `Secret ${snapshot.namespace}/${kubeconfigSecretName(snapshot.name)} with the kubeconfig is not there, although the ${place} is ready.`,
    advice: 'The syncer writes it again when it starts: delete the pod, and what is in the virtual cluster stays.',
    stuck: false,
    logsOf: { pod: pod.metadata.name, container: 'syncer', previous: false },
  };
}
