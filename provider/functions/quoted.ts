/** A wrong argument in a message: whole when it could be a name, begun when it is something else. */

const lengthMax = 100;

/** With quotation marks. Pure. */
export function quoted(text: string): string {
  if (text.length <= lengthMax) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, lengthMax))}… (${text.length} characters)`;
}
