/**
 * When a provider process ends: on SIGTERM or SIGHUP, and when its parent has gone. Not on SIGINT: Ctrl-C reaches the whole
 * process group, Terraform says StopProvider, and the provider must stay to return what it has half made. Standard input
 * says nothing: it is Terraform's own, which may be closed from the start or wait for a person's answer.
 */

export interface Lifetime extends Disposable {
  /** Resolves with the reason once the process should end. */
  readonly ended: Promise<string>;
  /** Looks for the parent now, and not only at the next turn: a connection has gone. */
  readonly check: () => void;
}

const parentIntervalMs = 1000;

/** Watches until disposed of. With `interruptible`, Ctrl-C ends it too: there is no Terraform around it. */
export function watchLifetime({ interruptible }: { readonly interruptible: boolean }): Lifetime {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  const parent = process.ppid;
  const check = (): void => {
    if (!isParent(parent)) resolve('the parent process has ended');
  };
  const handlers: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ['SIGINT', interruptible ? () => resolve('SIGINT') : () => undefined],
    ['SIGTERM', () => resolve('SIGTERM')],
    ['SIGHUP', () => resolve('SIGHUP')],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  // Whoever debugs may well close the terminal that started it.
  const timer = interruptible ? undefined : setInterval(check, parentIntervalMs).unref();
  return {
    ended,
    check: interruptible ? () => undefined : check,
    [Symbol.dispose]: () => {
      clearInterval(timer);
      for (const [signal, handler] of handlers) process.off(signal, handler);
    },
  };
}

/** An orphan has another parent; on Windows it keeps the number of one that is no more. */
function isParent(parent: number): boolean {
  if (process.ppid !== parent) return false;
  if (process.platform !== 'win32') return true;
  try {
    process.kill(parent, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
