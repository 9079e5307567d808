/** Wakes everybody who waits for something to happen, whatever it was: whoever is woken looks again. */
export class Bell {
  readonly #waiting = new Set<() => void>();

  ring(): void {
    // Who begins to wait while it rings waits for the next time.
    for (const wake of new Set(this.#waiting)) wake();
  }

  /** Resolves when it rings next, or when the signal is aborted. */
  async rung(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
