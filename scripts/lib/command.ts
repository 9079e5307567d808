/**
 * Runs one program and gives back what it said. A program that fails throws an error with its command line, its exit code and
 * its last words; nothing here decides what that means. Never goes through a shell, so nothing needs quoting.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How to run it; by default in this folder and environment, for as long as it takes. */
export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process' environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to its standard input. */
  readonly input?: string;
  /** Ended by SIGTERM after this long. */
  readonly timeoutMs?: number;
  /** Told each line of standard output as it comes. */
  readonly onLine?: (line: string) => void;
}

/** What came out. */
export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program ended with something else than 0. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly result: CommandResult;

  constructor(commandLine: string, result: CommandResult) {
    const words = lastLines(result.stderr.trim() || result.stdout.trim(), 20);
    super(`${commandLine} ended with exit code ${result.exitCode}:\n${words}`);
    this.result = result;
  }
}

/** Runs to the end; rejects only when the program cannot be started. */
export async function attempt(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  if (options.onLine !== undefined) createInterface({ input: child.stdout }).on('line', options.onLine);
  // A program that does not read its input closes it early; that is no error of ours.
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 124)));
  });
  return { exitCode, ...said };
}

/** Runs to a good end and gives back standard output; throws a {@link CommandError} otherwise. */
export async function run(file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await attempt(file, args, options);
  if (result.exitCode !== 0) throw new CommandError([file, ...args].join(' '), result);
  return result.stdout;
}

function lastLines(text: string, count: number): string {
  return text.split('\n').slice(-count).join('\n');
}
