/**
 * The provider in the process of the test, for a real Terraform that is told where it listens: one provider for a whole suite, with
 * break points and without five starts per command. What is given out is tested by test/support/terraform.ts instead.
 */
import { startProvider } from '../../provider/provider.ts';
import { createLog } from '../../provider/wire/log.ts';
import { Secrets } from '../../provider/wire/secrets.ts';
import { serveUnencrypted } from '../../provider/wire/serve.ts';
import type { StartProvider } from '../../provider/wire/service.ts';

/** Under which address configurations ask for it when nothing else is said. */
export const providerSource = 'registry.terraform.io/cdktf-vcluster/vcluster';

/** A provider that runs until it is disposed of. */
export interface AttachedProvider extends AsyncDisposable {
  /** To be added to the environment of Terraform, `init` included. */
  readonly env: Readonly<Record<string, string>>;
  /** All that it has logged so far, at every level, as Terraform would get it. */
  readonly log: () => string;
}

export interface AttachOptions {
  /** Another provider than the product's. */
  readonly start?: StartProvider;
  readonly source?: string;
}

/** Starts it. */
export async function attachProvider(options: AttachOptions = {}): Promise<AttachedProvider> {
  const { start = startProvider, source = providerSource } = options;
  const lines: string[] = [];
  const secrets = new Secrets();
  const log = createLog({ level: 'trace', secrets, write: (line) => lines.push(line) });
  const serving = await serveUnencrypted(start, { log, secrets });
  return {
    env: { TF_REATTACH_PROVIDERS: serving.reattach(source) },
    log: () => lines.join(''),
    [Symbol.asyncDispose]: () => serving[Symbol.asyncDispose](),
  };
}
