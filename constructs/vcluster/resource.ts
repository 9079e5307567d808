/** What the resources of our own provider have in common. */
import type { Construct } from 'constructs';
import { TerraformResource } from '../terraform.ts';
import type { ITerraformDependable, TerraformProvider, TerraformResourceLifecycle } from '../terraform.ts';
import { attributesOf, generatorMetadata } from './element.ts';

/** What may be given to any resource. */
export interface ResourceMeta {
  /**
   * What has to be there before.
   * @default - nothing
   */
  readonly dependsOn?: readonly ITerraformDependable[];
  /**
   * Which configuration of the provider to use.
   * @default - the default one
   */
  readonly provider?: TerraformProvider;
  /**
   * Terraform's lifecycle rules.
   * @default - none
   */
  readonly lifecycle?: TerraformResourceLifecycle;
}

/** Which resource it is, and which of its properties have properties of their own. */
interface ResourceForm {
  readonly type: string;
  readonly nested: readonly string[];
}

/** A resource whose attributes are its properties in snake_case. */
export class OwnResource extends TerraformResource {
  protected readonly attributes: Record<string, unknown>;

  constructor(scope: Construct, id: string, { type, nested }: ResourceForm, props: ResourceMeta) {
    const { dependsOn, provider, lifecycle, ...attributes } = props;
    super(scope, id, {
      terraformResourceType: type,
      terraformGeneratorMetadata: generatorMetadata,
      ...(dependsOn && { dependsOn: [...dependsOn] }),
      ...(provider && { provider }),
      ...(lifecycle && { lifecycle }),
    });
    this.attributes = attributesOf(attributes, nested);
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return { ...this.attributes };
  }
}
