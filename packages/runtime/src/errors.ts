/**
 * Failures that several services share: a closed list, each with what a caller may do about it. The error object of the
 * HTTP API is a contract of its own (`@contingent/contracts/http`).
 */
export const ERROR_CODES = {
  /** The environment does not describe a service that may run. */
  config_invalid: { retryable: false, exitCode: 78 },
  /** Something that this process needs is used in a way that loses or corrupts data: refuse to start. */
  dependency_refused: { retryable: false, exitCode: 78 },
  /** Postgres does not answer, or answers that it cannot write. */
  database_unavailable: { retryable: true, exitCode: 75 },
  /** The transport of messages does not answer; the sweeper makes up for it. */
  queue_unavailable: { retryable: true, exitCode: 75 },
  /** The process is draining and takes no new work. */
  shutting_down: { retryable: true, exitCode: 75 },
  /** A defect: the state that was found is not one that the code allows. */
  internal: { retryable: false, exitCode: 70 },
} as const satisfies Record<string, { readonly retryable: boolean; readonly exitCode: number }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error whose text holds ids and numbers only, so that it may be logged. Says what happened and what to do. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: ErrorCode;
  /** See `log.ts`: the texts of errors without this mark are never logged. */
  readonly loggable = true;

  constructor(code: ErrorCode, text: string, options?: ErrorOptions) {
    super(text, options);
    this.code = code;
  }

  /** Whether the same request may succeed later without a change. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  /** What the process exits with when this error ends it (sysexits.h). */
  get exitCode(): number {
    return ERROR_CODES[this.code].exitCode;
  }
}
