/** How one look at a key ended. */
export type Outcome =
  | { readonly is: 'settled' }
  | { readonly is: 'again'; readonly afterMs: number }
  | {
      readonly is: 'failed';
      readonly error: unknown;
      /** The server wishes no earlier try. */
      readonly retryAfterMs?: number | undefined;
      /** However often it has failed, the next try comes after at most so long. */
      readonly retryMaxMs?: number | undefined;
    };

export const settled: Outcome = { is: 'settled' };
