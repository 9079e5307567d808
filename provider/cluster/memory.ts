/**
 * What the provider remembers of a virtual cluster beside its state. Never a secret.
 *
 * Terraform hands it from one plan to the next also where it does not hand on the state: when it plans the object that replaces
 * another one.
 */
import type { Private } from '../framework/call.ts';

/** It was ready at least once, so it may hold something that people want to keep. */
export const readyOnce: Private = { ready: true };

/** Also remembered by the last look at it, for objects of which nothing else is: Terraform forgets it of tainted ones. */
const phasesAfterReady: readonly unknown[] = ['Running', 'Degraded', 'Paused'];

export function wasReady(kept: Private, phase?: unknown): boolean {
  return kept['ready'] === true || phasesAfterReady.includes(phase);
}

/** Its removal was begun, so nobody counts on it any more; what of it is left is still to be removed. */
export function leaving(kept: Private): Private {
  return { ...kept, leaving: true };
}

export function isLeaving(kept: Private): boolean {
  return kept['leaving'] === true;
}

/** For the plan of what may replace it: whether it may be replaced at all. */
export function withProtection(kept: Private, isProtected: boolean): Private {
  return { ...kept, protected: isProtected };
}

/** True while the object is planned that is to replace a protected one. */
export function replacesProtected(kept: Private): boolean {
  return kept['ready'] === true && kept['protected'] === true;
}
