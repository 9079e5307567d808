/** Why the volume of a control plane is not there, in words. Pure. */
import type { Symptoms } from './symptoms.ts';
import type { HostObject } from './types.ts';

/** What stands in the way. */
export interface Finding {
  /** A sentence: what is wrong, where. */
  readonly problem: string;
  /** Sentences: what to do. */
  readonly advice: string;
  /** True: it will not go away by waiting. */
  readonly stuck: boolean;
}

const isDefault = 'storageclass.kubernetes.io/is-default-class';

/** Undefined when the volume is not what is missing. */
export function claimWords({ claim, storageClasses, events }: Symptoms): Finding | undefined {
  if (claim === undefined || claim.status?.['phase'] === 'Bound') return undefined;
  const { name } = claim.metadata;
  const wanted = claim.spec?.['storageClassName'];
  if (storageClasses !== undefined) {
    const problem = classProblem(typeof wanted === 'string' ? wanted : undefined, storageClasses);
    if (problem !== undefined) return { ...problem, stuck: true };
  }
  const failed = events.findLast(
    ({ involvedObject, reason = '' }) =>
      involvedObject.name === name && /^(ProvisioningFailed|FailedBinding)$/.test(reason),
  );
  if (failed === undefined) return undefined;
  return {
    problem: `claim ${name} is not bound: ${(failed.message ?? '').trim().replace(/\.$/, '')}.`,
    advice:
      'Look at the provisioner of its StorageClass, or choose another class (controlPlane.statefulSet.persistence.volumeClaim.storageClass).',
    stuck: true,
  };
}

function classProblem(
  wanted: string | undefined,
  classes: readonly HostObject[],
): { readonly problem: string; readonly advice: string } | undefined {
  const known = classes.map(({ metadata }) => metadata.name);
  const choose = `Choose one of ${known.join(', ') || 'the classes that you make'} (controlPlane.statefulSet.persistence.volumeClaim.storageClass)`;
  if (wanted === undefined || wanted === '') {
    if (classes.some(({ metadata }) => metadata.annotations?.[isDefault] === 'true')) return undefined;
    return {
      problem: 'the host has no default StorageClass.',
      advice: `${choose}, mark one as the default, or do without a volume (volumeClaim.enabled = false), which loses everything when the pod goes.`,
    };
  }
  if (known.includes(wanted)) return undefined;
  return { problem: `the host has no StorageClass "${wanted}".`, advice: `${choose}.` };
}
