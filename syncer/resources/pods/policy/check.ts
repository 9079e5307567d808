/** One row of a Pod Security Standard. */
import type { Subject } from './subject.ts';

export interface Check {
  readonly id: string;
  /** The row of a weaker standard that this one is stricter than, and that need not be told as well. */
  readonly insteadOf?: string;
  /** Who breaks the rule and how, in words; undefined when nobody does. */
  readonly find: (subject: Subject) => string | undefined;
}
