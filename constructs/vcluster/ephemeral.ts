/**
 * An ephemeral block: opened while Terraform works, never in plan or state. CDKTF 0.21 has no class for it and its forks have
 * one of their own; this small one works with both.
 */
import type { Construct } from 'constructs';
import { dependable, ref, TerraformElement, Token } from '../terraform.ts';
import type { ITerraformDependable, TerraformProvider } from '../terraform.ts';
import { attributesOf } from './element.ts';

/** What every ephemeral block can be given. */
export interface EphemeralMeta {
  /**
   * What has to be there before it is opened during an apply. It does not keep Terraform from opening it while planning: only a
   * value of its configuration that is not known yet does.
   * @default - nothing
   */
  readonly dependsOn?: readonly ITerraformDependable[];

  /**
   * Which configuration of the provider to use.
   * @default - the default one
   */
  readonly provider?: TerraformProvider;
}

/** `ephemeral "<type>" "<id>" { … }`. */
export class EphemeralBlock extends TerraformElement {
  readonly #type: string;
  readonly #config: object;
  readonly #meta: EphemeralMeta;

  constructor(scope: Construct, id: string, type: string, { config, meta }: { config: object; meta: EphemeralMeta }) {
    super(scope, id, `ephemeral.${type}`);
    this.#type = type;
    this.#config = config;
    this.#meta = meta;
  }

  /** A reference to an attribute of what was opened; goes into provider configurations and write-only attributes only. */
  protected attribute(name: string): string {
    return Token.asString(ref(`ephemeral.${this.#type}.${this.friendlyUniqueId}.${name}`, this.cdktfStack));
  }

  override toTerraform(): object {
    const { dependsOn, provider } = this.#meta;
    const block = {
      ...attributesOf(this.#config, ['serviceAccount']),
      ...(provider && { provider: provider.fqn }),
      ...(dependsOn && dependsOn.length > 0 && { depends_on: dependsOn.map(dependable) }),
    };
    return { ephemeral: { [this.#type]: { [this.friendlyUniqueId]: block } } };
  }
}
