/** `read`, or the error in words. */
export function outcomeOf(call: () => unknown): string {
  try {
    call();
    return 'read';
  } catch (error) {
    return String(error);
  }
}
