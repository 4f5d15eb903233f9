/** A version of a customer's terms as JSON, and back: the one form in which they are stored and loaded. */
import type { JsonObject } from "@contingent/core/json";
import type { CustomerTerms } from "@contingent/core/pricing/rating/customer-terms";
import { markAmounts, readAmounts } from "./amounts-json.ts";

/** The terms as plain JSON. */
export function encodeCustomerTerms(terms: CustomerTerms): JsonObject {
  return markAmounts(terms) as JsonObject;
}

/** The terms that `encodeCustomerTerms` wrote. */
export function decodeCustomerTerms(stored: JsonObject): CustomerTerms {
  return readAmounts(stored) as CustomerTerms;
}
