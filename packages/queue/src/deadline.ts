/** The work took longer than its bound and was abandoned. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
  readonly loggable = true;
}

/**
 * Waits for the work at most this long. Then its signal fires, and it is abandoned: what it still does, it does to nobody.
 * @throws DeadlineError, or what the work throws
 */
export async function withDeadline(timeoutMs: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const expiry = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new DeadlineError(`Took longer than ${timeoutMs} ms.`);
    abort.abort(error);
    expiry.reject(error);
  }, timeoutMs);
  try {
    await Promise.race([work(abort.signal), expiry.promise]);
  } finally {
    clearTimeout(timer);
  }
}
