/**
 * Adds to package-lock.json the optional packages of other platforms that the registry did not offer when it was made. Without them
 * `npm ci` calls the lock file out of date on every machine. Run after each `npm install` that changed it: `npm run lockfile`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

interface Entry {
  readonly dev?: boolean;
  readonly engines?: object | undefined;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const path = fileURLToPath(new URL('../package-lock.json', import.meta.url));
const lock = JSON.parse(await readFile(path, 'utf8')) as { packages: Record<string, Entry> };
const platform =
  /(?:binding-)?(android|darwin|freebsd|linux|win32|openharmony)-(arm64|x64|arm|ia32|ppc64|riscv64|s390x)(?:-(gnu|musl|gnueabihf|musleabihf|eabi|msvc))?$/;

function platformEntry(name: string, version: string, parent: Entry): Entry | undefined {
  const [, os, cpu, abi] = platform.exec(name) ?? [];
  if (os === undefined || cpu === undefined) return undefined;
  const entry = {
    version,
    cpu: [cpu],
    ...(parent.dev === true && { dev: true }),
    ...(os === 'linux' && libcOf(abi)),
    optional: true,
    os: [os],
    engines: parent.engines,
  };
  return entry;
}

function libcOf(abi = ''): { readonly libc?: readonly string[] } {
  if (abi.startsWith('gnu')) return { libc: ['glibc'] };
  return abi.startsWith('musl') ? { libc: ['musl'] } : {};
}

let added = 0;
for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const entry = lock.packages[key] === undefined ? platformEntry(name, version, parent) : undefined;
    if (entry === undefined) continue;
    lock.packages[key] = entry;
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en')));
await writeFile(path, `${JSON.stringify(lock, undefined, 2)}\n`);
process.stdout.write(`package-lock.json: ${added} optional packages added\n`);
