/**
 * Builds one program of the table from its pinned Go module, for machines that cannot download releases.
 * The Go build cache keeps what was compiled, so a build that was cut short goes on where it was.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Log, seconds } from './log.ts';
import type { Program } from './pins.ts';

const tellEveryMs = 15_000;
const goRoot = join(import.meta.dirname, 'go');

/** Builds into a file; throws with the compiler's last words, or with how to install Go. */
export async function goBuild(program: Program, target: string, log: Log): Promise<void> {
  const startedMs = Date.now();
  let packages = 0;
  let modules = 0;
  const tail: string[] = [];
  const ticker = setInterval(() => {
    log(`  ${seconds(startedMs)}: ${modules} modules downloaded, ${packages} packages compiled`);
  }, tellEveryMs);
  try {
    const code = await runGo(program, target, (line) => {
      if (line.startsWith('go: downloading')) modules += 1;
      else if (!line.includes(' ')) packages += 1;
      tail.push(line);
      if (tail.length > 20) tail.shift();
    });
    if (code !== 0) {
      throw new Error(
        `Building ${program.go.path} in ${folderOf(program)} failed (go exited with ${code}):\n${tail.join('\n')}`,
      );
    }
  } finally {
    clearInterval(ticker);
  }
}

/** The arguments of `go` for one program. */
export function goArgs(program: Program, target: string): readonly string[] {
  const { path, setVersion = [], tags } = program.go;
  const ldflags = ['-s', '-w', ...setVersion.flatMap((assignment) => ['-X', assignment])].join(' ');
  return [
    'build',
    '-v',
    '-trimpath',
    ...(tags === undefined ? [] : ['-tags', tags]),
    '-ldflags',
    ldflags,
    '-o',
    target,
    path,
  ];
}

function folderOf(program: Program): string {
  return join(goRoot, program.go.module);
}

function runGo(program: Program, target: string, onLine: (line: string) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      CGO_ENABLED: '0',
      GOFLAGS: '-buildvcs=false',
      ...(!program.go.anySystem && { GOOS: 'linux' }),
      TMPDIR: dirname(target),
    };
    const cwd = folderOf(program);
    const child = spawn('go', goArgs(program, target), { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    createInterface({ input: child.stderr }).on('line', onLine);
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new Error(missingGo()) : error),
    );
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function missingGo(): string {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  return (
    'Go 1.26 is needed to build what cannot be downloaded, and there is no `go` on the PATH. Install it with: ' +
    `curl -fsSL https://go.dev/dl/go1.26.8.linux-${arch}.tar.gz | tar -C /usr/local -xz && export PATH=/usr/local/go/bin:$PATH`
  );
}
