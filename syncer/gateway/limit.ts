/** A bound on how many of something exist at once (spec KUB-13). */
export class Limit {
  readonly max: number;
  #used = 0;

  constructor(max: number) {
    this.max = max;
  }

  /** Takes a place. The returned function gives it back, once; undefined when all places are taken. */
  take(): (() => void) | undefined {
    if (this.#used >= this.max) return undefined;
    this.#used += 1;
    let held = true;
    return () => {
      if (held) this.#used -= 1;
      held = false;
    };
  }
}
