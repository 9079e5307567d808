/** How one look at a key ended. */
export type Outcome =
  | { readonly is: 'settled' }
  | { readonly is: 'again'; readonly afterMs: number }
  | { readonly is: 'failed'; readonly error: unknown; readonly retryAfterMs?: number | undefined };

export const settled: Outcome = { is: 'settled' };
