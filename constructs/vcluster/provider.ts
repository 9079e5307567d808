/** `provider "vcluster"`: which host cluster our own provider works on. */
import type { Construct } from 'constructs';
import { TerraformProvider, Token } from '../terraform.ts';
import type { IResolvable } from '../terraform.ts';
import { attributesOf, providerName, providerSource, providerVersions } from './element.ts';

/** A command that prints credentials, as in a kubeconfig. */
export interface HostExec {
  readonly apiVersion: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How a host cluster is reached, in the words that the providers kubernetes, helm and vcluster share. */
export interface HostAccess {
  /**
   * Kubeconfig file.
   * @default - KUBE_CONFIG_PATH, then KUBECONFIG, then `~/.kube/config`
   */
  readonly configPath?: string;
  /**
   * Several kubeconfig files, merged as kubectl does.
   * @default - none
   */
  readonly configPaths?: readonly string[];
  /**
   * Context of the kubeconfig.
   * @default - its current one
   */
  readonly configContext?: string;
  /**
   * URL of the API server; a kubeconfig is then not needed.
   * @default - the kubeconfig's
   */
  readonly host?: string;
  /**
   * Authority of the API server's certificate, PEM.
   * @default - the kubeconfig's
   */
  readonly clusterCaCertificate?: string;
  /**
   * PEM.
   * @default - the kubeconfig's
   */
  readonly clientCertificate?: string;
  /**
   * PEM. From a variable or an ephemeral value, never written into the program.
   * @default - the kubeconfig's
   */
  readonly clientKey?: string;
  /**
   * Bearer token. From a variable or an ephemeral value, never written into the program.
   * @default - the kubeconfig's
   */
  readonly token?: string;
  /**
   * Name in the certificate of the API server, where it is not that of `host`.
   * @default - the name in `host`
   */
  readonly tlsServerName?: string;
  /**
   * Trust any certificate.
   * @default false
   */
  readonly insecure?: boolean | IResolvable;
  /**
   * A command that prints credentials.
   * @default - the kubeconfig's
   */
  readonly exec?: HostExec;
}

/** Options of a {@link VclusterProvider}. */
export interface VclusterProviderProps extends HostAccess {
  /**
   * Tells it from other configurations of the provider in the stack.
   * @default - it is the stack's default one
   */
  readonly alias?: string;

  /**
   * The helm 3 binary it uses.
   * @default - found on the PATH, else downloaded once, checked and kept
   */
  readonly helmPath?: string;

  /**
   * Version constraint of the provider.
   * @default - the version of this package, and patches of it
   */
  readonly version?: string;
}

/** The provider that ships with this project, for one host cluster. */
export class VclusterProvider extends TerraformProvider {
  readonly #props: VclusterProviderProps;

  constructor(scope: Construct, id: string, props: VclusterProviderProps = {}) {
    super(scope, id, {
      terraformResourceType: providerName,
      terraformGeneratorMetadata: {
        providerName,
        providerVersionConstraint: props.version ?? providerVersions(),
      },
      terraformProviderSource: providerSource,
    });
    this.#props = props;
  }

  override get alias(): string | undefined {
    // CDKTF asks before the constructor has come so far.
    return #props in this ? this.#props.alias : undefined;
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    const { alias: _alias, version: _version, exec, ...access } = this.#props;
    return attributesOf({ ...access, exec: exec?.env ? { ...exec, env: verbatim(exec.env) } : exec }, ['exec']);
  }
}

/** A map whose keys CDKTF leaves as they are. In a provider it turns every key into snake_case, `AWS_PROFILE` too. */
export function verbatim(map: Readonly<Record<string, string>>): Record<string, string> {
  return Token.asAny({ ...map }) as unknown as Record<string, string>;
}
