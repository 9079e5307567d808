/**
 * How a long story is told on a terminal: numbered steps with their duration, notes below them, and commands with the output
 * they really gave. A step that throws is named in the error, so the reader knows how far it came.
 */

/** Tells one story; a new one for each run. */
export class Story {
  readonly #total: number;
  readonly #write: (text: string) => void;
  #done = 0;

  constructor(total: number, write: (text: string) => void = (text) => process.stdout.write(text)) {
    this.#total = total;
    this.#write = write;
  }

  /** Does one step. Its result is the step's; its error says which step it was. */
  async step<T>(title: string, action: () => Promise<T>): Promise<T> {
    const number = `${(this.#done += 1)}/${this.#total}`;
    const startedMs = performance.now();
    this.#write(`\n[${number}] ${title}\n`);
    try {
      const result = await action();
      this.note(`done in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
      return result;
    } catch (error) {
      throw new StepError(`step ${number}, ${title}`, { cause: error });
    }
  }

  /** A line about what is going on. */
  readonly note = (text: string): void => {
    this.#write(`${indent(text)}\n`);
  };

  /** A command as the reader would type it, and what it printed. */
  show(command: string, output: string): void {
    this.#write(`${indent(`$ ${command}`)}\n${indent(output.trimEnd())}\n`);
  }

  /** What comes after the story: a heading, and for each thing to do the commands that do it. */
  ending(heading: string, todo: Readonly<Record<string, readonly string[]>>): void {
    const width = Math.max(...Object.keys(todo).map((what) => what.length));
    const lines = Object.entries(todo).flatMap(([what, commands]) =>
      commands.map((command, index) => `  ${(index === 0 ? what : '').padEnd(width)}  ${command}\n`),
    );
    this.#write(`\n${heading}\n${lines.join('')}`);
  }
}

/** The step that failed; the reason is its cause. */
export class StepError extends Error {
  override readonly name = 'StepError';
}

/** An error with all its causes, for people: what was done, then why it failed. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${explain(error.cause)}`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '      ');
}
