/** The texts of a job that is about to be accepted, and of the stored answer to its request. */
import type { CustomerId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import type { IdempotentRequest, NewJob } from "../accept.ts";
import type { Payloads, Place, Sealer } from "./payloads.ts";

/** The job with its texts as they are stored. */
export async function withStoredTexts(payloads: Payloads, job: NewJob): Promise<NewJob> {
  const { id, customerId, input, metadata, idempotent } = job;
  const { json } = await payloads.sealer(customerId);
  return {
    ...job,
    input: json(`input ${id}`, input),
    metadata: json(`metadata ${id}`, metadata) as JsonObject,
    idempotent: idempotent === null ? null : withStoredAnswer(json, customerId, idempotent),
  };
}

function withStoredAnswer(
  json: Sealer["json"],
  customerId: CustomerId,
  idempotent: IdempotentRequest,
): IdempotentRequest {
  const { key, answer } = idempotent;
  if (answer === null) return idempotent;
  const body = json(placeOfAnswer(customerId, key), answer.body) as JsonObject;
  return { ...idempotent, answer: { ...answer, body } };
}

/** Where the stored answer of a request belongs. */
export function placeOfAnswer(customerId: CustomerId, key: string): Place {
  return `answer ${customerId} ${key}`;
}
