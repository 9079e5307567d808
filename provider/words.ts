/** Labels and annotations as Terraform has them: a map may be null, and so may each of its values, which is the same as none. Pure. */

/** Labels or annotations. */
export type Words = Readonly<Record<string, string>>;

/** Without those that are null: in a map of Terraform that is how a word is left out. */
export function givenWords(words: Words | null): Words | undefined {
  if (words === null) return undefined;
  const given = Object.entries(words).filter(([, word]: readonly [string, string | null]) => word !== null);
  return Object.fromEntries(given);
}

/** For a state: no words are null, as where nobody has given any. */
export function wordsOrNull(words: Words): Words | null {
  return Object.keys(words).length === 0 ? null : words;
}
