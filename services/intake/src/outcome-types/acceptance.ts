/**
 * How an outcome is accepted: said by `acceptance`, or by a leaf `customer_acceptance` in the tree, which is the same said
 * in another place. There is one mechanism.
 */
import type { Problem } from "@contingent/contracts/http/errors";
import { customerAcceptanceSchema } from "@contingent/contracts/http/outcome-types";
import type { Acceptance } from "@contingent/core/outcome-type";
import { customerAcceptance } from "@contingent/validators/customer_acceptance/customer_acceptance";
import type { Parts } from "./checks.ts";
import { leavesIn, type SentLeaf } from "./tree-leaves.ts";

type Said = Pick<Parts, "validator" | "acceptance">;

/** The terms that the definition comes to. */
export function acceptanceOf({ validator, acceptance }: Said): Acceptance {
  const [leaf] = leavesOfCustomers(validator);
  const inTree = customerAcceptanceSchema.safeParse(leaf?.options);
  const said = inTree.success ? inTree.data : acceptance;
  switch (said?.mode) {
    case undefined:
    case "automatic":
      return { mode: "automatic" };
    case "window":
      return { mode: "window", durationMs: said.duration_ms, onSilence: said.on_silence };
    case "explicit":
      return { mode: "explicit", durationMs: said.until_ms, onSilence: said.on_silence };
  }
}

/** The customer is asked once, about the outcome as a whole, and what that means is said in one place. */
export function asksTheCustomerOnce({ validator, acceptance }: Said): readonly Problem[] {
  const [first, ...others] = leavesOfCustomers(validator);
  if (first === undefined) return [];
  const misplaced = [first, ...others].filter(({ path }) => !/^\/validator(?:\/all\/\d+)?$/.test(path));
  return [
    ...misplaced.map(({ path }) => ({
      param: path,
      message:
        'must stand at the root, or directly under an "all" at the root: no other leaf can make up for a customer who rejects',
    })),
    ...others.map(({ path }) => ({ param: path, message: `asks the customer again: ${first.path} does already` })),
    ...(acceptance === undefined
      ? []
      : [{ param: "/acceptance", message: `is said by the leaf at ${first.path} already: leave one of the two out` }]),
  ];
}

function leavesOfCustomers(validator: Said["validator"]): readonly SentLeaf[] {
  return leavesIn(validator, "/validator").filter(({ use }) => use === customerAcceptance.name);
}
