/**
 * What the provider remembers of a virtual cluster beside its state. Never a secret.
 */
import type { Private } from '../framework/call.ts';

/** It was ready at least once, so it may hold something that people want to keep. */
export function wasReady(kept: Private): boolean {
  return kept['ready'] === true;
}

export const readyOnce: Private = { ready: true };
