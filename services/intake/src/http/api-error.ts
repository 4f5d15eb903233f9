import { ERRORS, type ErrorCode, type Problem, PROBLEMS_MAX } from "@contingent/contracts/http/errors";

export interface ErrorDetails {
  /** The field at fault: a JSON pointer into the body, or a parameter's or header's name. */
  readonly param?: string;
  readonly problems?: readonly Problem[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer that is an error. Its text goes to the caller, and says what to change. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  readonly param: string | null;
  readonly problems: readonly Problem[] | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.param = details.param ?? null;
    this.problems = details.problems?.slice(0, PROBLEMS_MAX) ?? null;
    this.headers = details.headers ?? {};
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}
