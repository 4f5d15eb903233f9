import { ERRORS, type ErrorCode, type Problem, PROBLEMS_MAX } from "@contingent/contracts/http/errors";

/** What there was too much of, where one code stands for several: by key, customer or address, or answered at once. */
export type ExceededLimit = "key" | "customer" | "address" | "under_way";

export interface ErrorDetails {
  /** The field at fault: a JSON pointer into the body, or a parameter's or header's name. */
  readonly param?: string;
  readonly problems?: readonly Problem[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
  readonly limit?: ExceededLimit;
}

/** An answer that is an error. Its text goes to the caller, and says what to change. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  readonly param: string | null;
  readonly problems: readonly Problem[] | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly limit: ExceededLimit | null;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.param = details.param ?? null;
    this.problems = details.problems?.slice(0, PROBLEMS_MAX) ?? null;
    this.headers = details.headers ?? {};
    this.limit = details.limit ?? null;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}
