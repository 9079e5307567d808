/** YAML with the place of everything in it. Its parser is loaded when the first text is read: a program without YAML never pays for it. */
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

const load = createRequire(import.meta.url);

/** The parser. */
export function yaml(): typeof Yaml {
  return load('yaml') as typeof Yaml;
}
