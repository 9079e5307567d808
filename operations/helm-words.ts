/** What Helm says when it fails, in words for people: what the host or the chart said, without the layers around it. Pure. */
import { goesOn } from './errors.ts';
import { masked } from './mask.ts';
import { askAdministrator, parseRefusal } from './host-answers.ts';

type Rule = readonly [pattern: RegExp, words: (found: RegExpExecArray, text: string) => string];

const rules: readonly Rule[] = [
  // The chart's own refusals are sentences with what to do.
  [/execution error at \([^)]*\): ([\s\S]+)/, ([, said = '']) => said],
  [/values don't meet the specifications of the schema\(s\)[^\n]*\n([\s\S]+)/, ([, lines = '']) => schemaWords(lines)],
  [
    // The second is what a helm says that comes to write its record after another one.
    /another operation \(install\/upgrade\/rollback\) is in progress|^release: already exists$/,
    () => `Another helm is working on it right now. ${goesOn}`,
  ],
  [
    /cannot re-use a name that is still in use/,
    () => `A release of that name was made meanwhile by somebody else. ${goesOn}`,
  ],
  [
    /unable to create new content in namespace (\S+) because it is being terminated/,
    ([, namespace = '']) => `Namespace "${namespace}" is being deleted. Wait until it is gone and apply again.`,
  ],
  [
    /namespaces "([^"]+)" not found/,
    ([, namespace = '']) =>
      `Namespace "${namespace}" does not exist. Create it, or let it be created (namespace_lifecycle).`,
  ],
  [
    /(\S+ "[^"]+" in namespace "[^"]*") exists and cannot be imported into the current release/,
    ([, object = '']) =>
      `${object} exists already and is not of this release. Remove it, or choose another name or namespace.`,
  ],
  [
    /(\S+ "[^"]+") is forbidden: (exceeded quota: ([^,]+),[^\n]+)/,
    ([, object = '', said = '', quota = '']) =>
      `The host refuses ${object}: ${said}. Raise ResourceQuota "${quota}", or choose another namespace.`,
  ],
  [
    /admission webhook "([^"]+)" denied the request: ([\s\S]+)/,
    ([, webhook = '', said = '']) =>
      `Webhook "${webhook}" of the host refuses it: ${said.trim().replace(/\.?$/, '.')} Change what it objects to, or ask whoever runs it.`,
  ],
  [
    /cannot patch "([^"]+)" with kind (\S+): [\s\S]*?(?:Forbidden|field is immutable)/,
    ([, name = '', kind = ''], text) =>
      `${kind} "${name}" cannot be changed like this while it exists: ${lastSentence(text)} Undo that change, or replace the virtual cluster.`,
  ],
  [
    /Kubernetes cluster unreachable: ([\s\S]+)/,
    ([, said = '']) => `The host cluster cannot be reached: ${said} Is it up?`,
  ],
];

/** Sentences from what helm printed to stderr. */
export function helmWords(stderr: string): string {
  const text = masked(errorPart(stderr));
  const refusal = parseRefusal(text);
  if (refusal !== undefined) {
    const { user, verb, resource, namespace } = refusal;
    const where = namespace === undefined ? 'in the whole cluster' : `in namespace "${namespace}"`;
    return `"${user}" may not ${verb} ${resource} ${where}. ${askAdministrator}`;
  }
  for (const [pattern, words] of rules) {
    const found = pattern.exec(text);
    if (found !== null) return words(found, text).trim();
  }
  return text === '' ? 'It did not say why.' : text;
}

/** Without the warnings before it and the marks around it. */
function errorPart(stderr: string): string {
  const at = stderr.lastIndexOf('Error: ');
  const said = at === -1 ? stderr : stderr.slice(at + 'Error: '.length);
  return said.replace(/^(INSTALLATION|UPGRADE|ROLLBACK|UNINSTALL(ATION)?) FAILED: /, '').trim();
}

function schemaWords(lines: string): string {
  const problems = lines
    .split('\n')
    .map((line) => /^- (?:at '([^']*)': )?(.+)$/.exec(line.trim()))
    .filter((found) => found !== null)
    .map(([, place = '', said = '']) => `${place === '' ? '' : `${place.slice(1).replaceAll('/', '.')}: `}${said}`);
  return `${problems.join('; ') || lines.trim()}. Correct the values; nothing was changed.`;
}

function lastSentence(text: string): string {
  return (text.split(' is invalid: ').at(-1) ?? text).trim().replace(/\.?$/, '.');
}
