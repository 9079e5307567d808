/**
 * Values that must not leave this process in a text: keys, tokens, passwords. Whoever reads one tells it here; the log and every
 * error that goes over the wire pass through `redact`.
 *
 * Invariant: what was added is also found inside other texts, as base64 (Secrets, kubeconfigs), escaped as JSON or in a URL, and
 * each line of its own for texts of many lines. It is never kept anywhere but in memory.
 */

/** Shorter ones would hide half of every line and protect nothing. */
const lengthMin = 6;
const lineLengthMin = 16;
/** Longer than any key or kubeconfig; no line of the log holds so much. */
const formsLengthMax = 65_536;

export class Secrets {
  // Longest first, so that a whole is replaced before its parts.
  #known: readonly string[] = [];

  /** From now on none of these values appears in what `redact` returns. Empty and very short ones are ignored. */
  add(...values: readonly (string | undefined)[]): void {
    const forms = values.flatMap((value) => (value === undefined ? [] : formsOf(value)));
    const all = new Set([...this.#known, ...forms]);
    if (all.size === this.#known.length) return;
    this.#known = [...all].toSorted((one, other) => other.length - one.length);
  }

  /** The text with every known secret replaced. */
  redact(text: string): string {
    let redacted = text;
    for (const secret of this.#known) {
      if (redacted.includes(secret)) redacted = redacted.replaceAll(secret, '[secret]');
    }
    return redacted;
  }
}

function formsOf(value: string): readonly string[] {
  const lines = value.split('\n').filter((line) => line.length >= lineLengthMin && !line.startsWith('-----'));
  const texts = [value, value.trim(), ...(lines.length > 1 || value.includes('\n') ? lines : [])];
  return texts
    .filter((text) => text.length >= lengthMin)
    .flatMap((text) => (text.length > formsLengthMax ? text : everyFormOf(text)));
}

function everyFormOf(text: string): readonly string[] {
  return [text, ...base64Of(text), JSON.stringify(text).slice(1, -1), encodeURIComponent(text)];
}

/** Both alphabets; without the last characters, which depend on what follows. */
function base64Of(text: string): readonly string[] {
  const whole = Buffer.from(text);
  const even = whole.subarray(0, whole.length - (whole.length % 3));
  return [whole, even]
    .filter((bytes) => bytes.length >= lengthMin)
    .flatMap((bytes) => [bytes.toString('base64'), bytes.toString('base64url')]);
}
