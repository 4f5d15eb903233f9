/** A client that holds every answer against the contract: a test cannot overlook an answer that is not as described. */
import { ERRORS, errorSchema } from "@contingent/contracts/http/errors";
import { JSON_TYPE, type Operation } from "@contingent/contracts/http/operation";
import { OPERATIONS } from "@contingent/contracts/http/operations";
import { type ApiAnswer, type ApiClient, apiClient, type ApiRequest } from "@contingent/embedded/api-client";
import { expect } from "vitest";

export interface CheckedClient extends ApiClient {
  as(key: string): CheckedClient;
  /** The same caller at another process. */
  at(url: string): CheckedClient;
}

export function checkedClient(client: ApiClient): CheckedClient {
  const send = async (request: ApiRequest): Promise<ApiAnswer> => {
    const answer = await client.send(request);
    checkAnswer(request, answer);
    return answer;
  };
  return {
    ...client,
    send,
    as: (key) => checkedClient(client.as(key)),
    at: (url) => checkedClient(apiClient(url, client.key)),
  };
}

export function checkAnswer(request: ApiRequest, answer: ApiAnswer): void {
  expect(answer.headers.get("x-request-id")).toMatch(/^req_[0-9a-z]{26}$/);
  const operation = operationOf(request);
  const described = operation?.answers[answer.status];
  if (described !== undefined) {
    if ((described.type ?? JSON_TYPE) !== JSON_TYPE) return;
    // What the schema does not know it leaves out, so that an additional field shows.
    expect(described.schema.parse(answer.body)).toEqual(answer.body);
    return;
  }
  const { error } = errorSchema.strict().parse(answer.body);
  expect(answer.status).toBe(ERRORS[error.code].status);
  expect(error.type).toBe(ERRORS[error.code].type);
  expect(error.request_id).toBe(answer.headers.get("x-request-id"));
  expect(error.doc_url).toMatch(new RegExp(`/docs/errors#${error.code}$`));
  expect(error.message).toMatch(/\.$/);
}

function operationOf({ method = "GET", path }: ApiRequest): Operation | undefined {
  const [pathname = ""] = path.split("?");
  // The more literal path wins: /v1/jobs/bulk is no job.
  const candidates = OPERATIONS.toSorted((left, right) => left.path.split("{").length - right.path.split("{").length);
  return candidates.find(
    (operation) =>
      operation.method.toUpperCase() === method &&
      new RegExp(`^${operation.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(pathname),
  );
}

/** The answer is this error. @returns it, for a closer look */
export function expectError(
  answer: ApiAnswer,
  code: keyof typeof ERRORS,
  param?: string | null,
): { readonly message: string; readonly problems?: readonly { readonly param: string; readonly message: string }[] } {
  const { error } = errorSchema.parse(answer.body);
  expect({ status: answer.status, code: error.code }).toEqual({ status: ERRORS[code].status, code });
  if (param !== undefined) expect(error.param).toBe(param);
  return { message: error.message, ...(error.problems === undefined ? {} : { problems: error.problems }) };
}
