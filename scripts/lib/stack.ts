/**
 * From a CDKTF program to a folder that Terraform can work on. Runs the program as its README says, in a process of its own,
 * so that what is tested is what a user runs.
 */
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { run } from './command.ts';

/** The checkout. */
export const root: string = resolve(import.meta.dirname, '..', '..');

/** Where everything is written that a person may want to look at; not under version control. */
export const outFolder: string = join(root, 'out');

/** A program and the one stack in it. */
export interface StackProgram {
  /** Path of main.ts. */
  readonly program: string;
  /** Name of the stack. */
  readonly stack: string;
  /** Folder that CDKTF writes to. */
  readonly outdir: string;
  /** Added to the program's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The stack of examples/quickstart, where `npm run quickstart` keeps it. */
export const quickstartStack: StackProgram = {
  program: join(root, 'examples', 'quickstart', 'main.ts'),
  stack: 'quickstart',
  outdir: join(outFolder, 'quickstart'),
};

/** The same by our own provider alone, for where the stock providers cannot be had. It has a state of its own. */
export const nativeQuickstartStack: StackProgram = {
  program: join(root, 'examples', 'quickstart', 'native.ts'),
  stack: 'quickstart',
  outdir: join(outFolder, 'quickstart-native'),
};

/** Folder of the stack, whether or not it was synthesised. */
export function folderOf(stack: StackProgram): string {
  return join(stack.outdir, 'stacks', stack.stack);
}

/** Synthesises; returns the folder with cdk.tf.json. State that is there already stays. */
export async function synthesise(stack: StackProgram, kubeconfig: string): Promise<string> {
  // CDKTF makes the last folder of the path only.
  await mkdir(dirname(stack.outdir), { recursive: true });
  await run(process.execPath, ['--conditions=source', stack.program], {
    cwd: root,
    env: { KUBE_CONFIG_PATH: kubeconfig, CDKTF_OUTDIR: stack.outdir, ...stack.env },
  });
  return folderOf(stack);
}
