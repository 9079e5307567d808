/**
 * Who makes a virtual cluster when Terraform applies. A choice as data: what follows from it is in virtual-cluster.ts.
 */

/** Options of {@link Provisioner.native}. */
export interface NativeProvisionerProps {
  /**
   * Whether the virtual cluster is paused: its objects stay, its pods and control plane do not run.
   * @default false
   */
  readonly pause?: boolean;
}

/** What was chosen. */
export type ProvisionerChoice =
  | { readonly kind: 'helm' }
  | { readonly kind: 'native'; readonly options: NativeProvisionerProps };

/** How a {@link VirtualCluster} is provisioned. */
export class Provisioner {
  /**
   * The stock providers `hashicorp/helm` and `hashicorp/kubernetes`: nothing else is needed to make a virtual cluster. Our own
   * provider comes in only for what stock providers cannot do: going into it without leaving its key in the state.
   */
  static helm(): Provisioner {
    return new Provisioner({ kind: 'helm' });
  }

  /**
   * Our own provider `vcluster` and no other: it notices drift, repairs what half failed, pauses, and says why a virtual cluster does not
   * become ready.
   */
  static native(options: NativeProvisionerProps = {}): Provisioner {
    return new Provisioner({ kind: 'native', options });
  }

  /** For the constructs of this package. */
  readonly choice: ProvisionerChoice;

  private constructor(choice: ProvisionerChoice) {
    this.choice = choice;
  }
}
