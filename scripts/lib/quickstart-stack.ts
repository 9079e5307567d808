/**
 * The stack of the quickstart, ready to be applied: by the stock providers when they can be had, else by our own provider, built
 * from this checkout, which needs no other. A stack that was applied goes on with the providers that made it.
 */
import { relative } from 'node:path';
import { CommandError } from './command.ts';
import { provideProvider } from './provider-mirror.ts';
import { folderOf, nativeQuickstartStack, quickstartStack, root, synthesise } from './stack.ts';
import type { StackProgram } from './stack.ts';
import { ProvidersMissingError, Terraform } from './terraform.ts';
import type { TerraformOptions } from './terraform.ts';

/** What the stack is opened with. */
export interface Circumstances {
  /** Path of terraform. */
  readonly binary: string;
  /** Kubeconfig of the host cluster. */
  readonly kubeconfig: string;
  readonly note: (line: string) => void;
  /** The two stacks; for tests. */
  readonly stock?: StackProgram;
  readonly native?: StackProgram;
}

/** Opens the stack, initialised. Dispose of it at the end. */
export async function openQuickstart(given: Circumstances): Promise<Terraform> {
  const { stock = quickstartStack, native = nativeQuickstartStack, note } = given;
  if (await isApplied(native, given)) {
    note("this project's own provider has made what is there, and goes on with it");
    return openNative(native, given);
  }
  const terraform = await open(stock, given, {});
  try {
    await terraform.init();
    return terraform;
  } catch (error) {
    const isStarted = (await terraform.addresses()).length > 0;
    await terraform[Symbol.asyncDispose]();
    // A mirror that was named and lacks a provider is a mistake to correct, and a stack half made cannot change hands.
    if (!(error instanceof ProvidersMissingError) || process.env['TERRAFORM_MIRROR'] || isStarted) throw error;
    note(`the providers hashicorp/kubernetes and hashicorp/helm cannot be had: ${reasonIn(wordsOf(error))}`);
    note("so the virtual cluster is made by this project's own provider, built here, which needs no other");
    return openNative(native, given);
  }
}

async function openNative(stack: StackProgram, given: Circumstances): Promise<Terraform> {
  const providerMirror = await provideProvider('bundle', given.note);
  const terraform = await open(stack, given, { providerMirror });
  try {
    await terraform.init();
    return terraform;
  } catch (error) {
    await terraform[Symbol.asyncDispose]();
    throw error;
  }
}

async function open(stack: StackProgram, given: Circumstances, options: TerraformOptions): Promise<Terraform> {
  const { binary, kubeconfig, note } = given;
  const folder = await synthesise(stack, kubeconfig);
  note(`${relative(root, stack.program)} synthesised to ${relative(root, folder)}`);
  return Terraform.open(folder, kubeconfig, { ...options, binary });
}

async function isApplied(stack: StackProgram, { binary, kubeconfig }: Circumstances): Promise<boolean> {
  await using terraform = await Terraform.open(folderOf(stack), kubeconfig, { binary });
  return (await terraform.addresses()).length > 0;
}

function wordsOf({ message, cause }: Error): string {
  return cause instanceof CommandError ? cause.result.stderr : message;
}

/** The first reason among Terraform's words for a failed init, on one line. Pure. */
export function reasonIn(stderr: string): string {
  // The frames that Terraform draws around errors on a terminal.
  const text = stderr.replaceAll(/^[│╷╵] ?/gm, '');
  const [, paragraph = text] = /^Error: .*\n\n([^]*?)(?:\n\n|(?![^]))/m.exec(text) ?? [];
  const line = paragraph.replaceAll(/\s+/g, ' ').trim();
  return line.replace(/^Could not retrieve the list of available versions for provider \S+: /, '');
}
