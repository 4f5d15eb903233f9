import { type CustomerAcceptance, customerAcceptanceSchema } from "@contingent/contracts/http/outcome-types";
import type { Json } from "@contingent/core/json";
import { failed, finding, PASSED } from "../finding.ts";
import type { LeafResult, Validator } from "../validator.ts";

/**
 * The customer has the last word. Their word comes after the verdict: the leaf becomes the outcome type's acceptance when
 * the type is published. What it checks itself is that there is something to say yes to, because silence may mean yes.
 */
export const customerAcceptance: Validator<CustomerAcceptance> = {
  name: "customer_acceptance",
  version: 1,
  place: "inline",
  options: customerAcceptanceSchema,
  validate({ output }): LeafResult {
    if (hasContent(output)) return PASSED;
    return failed(finding("", "nothing_to_accept", "There is nothing in the answer to accept.", "Answer in full."));
  },
};

/** Whether there is any value besides null and empty text. `false` and 0 are values. */
function hasContent(value: Json): boolean {
  if (value === null) return false;
  if (typeof value === "string") return value.trim() !== "";
  return typeof value === "object" ? Object.values(value).some(hasContent) : true;
}
