/**
 * A value that is unknown until what it waits for was there once, and known ever after: while a Helm release is updated, its own
 * attributes become unknown again, and whatever is keyed on them fails to plan.
 */
import type { Construct } from 'constructs';
import { TerraformResource } from './terraform.ts';
import type { ITerraformDependable } from './terraform.ts';

/** What a latch holds, and what it waits for. */
export interface LatchProps {
  readonly value: string;
  readonly dependsOn: readonly ITerraformDependable[];
}

/** `terraform_data`, built into Terraform: no provider is needed for it. */
export class Latch extends TerraformResource {
  readonly #value: string;

  constructor(scope: Construct, id: string, { value, dependsOn }: LatchProps) {
    super(scope, id, { terraformResourceType: 'terraform_data', dependsOn: [...dependsOn] });
    this.#value = value;
  }

  get output(): string {
    return this.getStringAttribute('output');
  }

  protected override synthesizeAttributes(): Record<string, unknown> {
    return { input: this.#value };
  }
}
