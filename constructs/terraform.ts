/**
 * The one door to the CDK for Terraform. Every other file of this package takes what it needs of it from here, so that a
 * user who goes on with a fork of the CDK (an npm alias in his own package.json) changes nothing of ours, and so that the
 * next major version is one file's work. Holds no code of its own and never re-exports a provider binding: those are
 * imported file by file where they are used, because their barrels cost seconds and hundreds of megabytes.
 */
export { Aspects, AssetType, Fn, TerraformAsset, TerraformProvider, TerraformStack, Token } from 'cdktf';
export type { IAspect } from 'cdktf';
