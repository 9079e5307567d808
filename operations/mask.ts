/** Takes secrets out of lines that are shown to people: log lines of containers, words of other programs. Pure. */

const marks: readonly (readonly [RegExp, string])[] = [
  // PEM blocks, whole or begun.
  [/-----BEGIN [A-Z ]*(?:PRIVATE KEY|CERTIFICATE)-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g, '[key]'],
  // JSON Web Tokens.
  [/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, '[token]'],
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, '$1 [token]'],
  // user:password@ in a URL.
  [/(\w+:\/\/)[^\s/@:]*:[^\s/@]+@/g, '$1[password]@'],
  [
    /((?:password|passwd|secret|token|api[-_]?key|authorization|private[-_]?key|credential)s?["']?\s*[=:]\s*)(["']?)[^\s"',;&]+\2/gi,
    '$1[hidden]',
  ],
  // Anything as long as a key, in base64 or hexadecimal. Paths and names hold a "-", "." or "/" before they are that long.
  [/\b(?=[A-Za-z0-9+/]*\d)(?=[A-Za-z0-9+/]*[A-Za-z])[A-Za-z0-9+/]{40,}={0,2}/g, '[hidden]'],
];

/** The text without what could be a secret; rather too much is taken out than too little. */
export function masked(text: string): string {
  return marks.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}

/** A line without orders to a terminal: an API server's log may quote what its clients have sent. */
export function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, ' ');
}
