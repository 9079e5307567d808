/** One thing that an audit found wrong. */
export interface Problem {
  /** The invariant that does not hold. */
  readonly invariant: 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9';
  /** `host pods tenant-a/web-x-shop-x-team-a`. */
  readonly about: string;
  readonly says: string;
}
