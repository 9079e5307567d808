/**
 * The one door to the CDK for Terraform. Every other file of this package takes what it needs of it from here, so that a
 * user who goes on with a fork of the CDK (an npm alias in his own package.json) changes nothing of ours, and so that the
 * next major version is one file's work. Holds no code of its own and never re-exports a provider binding: those are
 * loaded one by one when they are used (bindings.ts).
 */
export {
  Aspects,
  AssetType,
  Fn,
  TerraformAsset,
  TerraformElement,
  TerraformProvider,
  TerraformDataSource,
  TerraformResource,
  TerraformStack,
  Token,
  Tokenization,
  call,
  dependable,
  ref,
} from 'cdktf';
export type {
  IAspect,
  IResolvable,
  ITerraformDependable,
  TerraformMetaArguments,
  TerraformResourceLifecycle,
} from 'cdktf';
