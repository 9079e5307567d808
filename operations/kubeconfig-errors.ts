/** What is wrong with the access to the host before the host is asked anything. */
import { OperationError } from './errors.ts';

/** What a kubeconfig says cannot be used; the message says what to do. */
export class KubeconfigError extends OperationError {
  override readonly name: string = 'KubeconfigError';

  constructor(detail: string, options?: ErrorOptions) {
    super('The host cluster cannot be chosen', detail, options);
    this.message = detail;
  }
}

/** The kubeconfig has no such context; says which it has. */
export class WrongContextError extends KubeconfigError {
  override readonly name = 'WrongContextError';
  readonly known: readonly string[];

  constructor(paths: string, context: string, known: readonly string[]) {
    const wrong =
      context === ''
        ? `Kubeconfig ${paths} has no current context and none was chosen`
        : `Kubeconfig ${paths} has no "${context}" among its contexts`;
    super(`${wrong}: ${known.join(', ') || 'none'}. Choose one of them (config_context of the provider, or KUBE_CTX).`);
    this.known = known;
  }
}
