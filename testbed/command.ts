/**
 * Short-lived system commands of the node level (ip, iptables, umount …), with errors that say what was run.
 */
import { execFile } from 'node:child_process';

const folders = '/usr/sbin:/usr/bin:/sbin:/bin';
const timeoutMs = 120_000;

/** Runs a command and returns what it printed; `input` goes to its standard input. */
export function command(program: string, args: readonly string[], input?: string): Promise<string> {
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:${folders}` };
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { env, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else
          reject(new Error(`${program} ${args.join(' ')} failed: ${stderr.trim() || error.message}`, { cause: error }));
      },
    );
    // A command that ends without reading its input says why by its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Runs a command of which it does not matter whether there was anything to do. */
export async function tryCommand(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await command(program, args);
    return true;
  } catch {
    return false;
  }
}
