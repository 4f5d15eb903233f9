/** Hazard: an amount that comes back from the database as something else. */
import type { JsonObject } from "@contingent/core/json";
import { nanos } from "@contingent/core/money";
import type { CustomerTerms } from "@contingent/core/pricing/rating/customer-terms";
import { expect, test } from "vitest";
import { decodeCustomerTerms, encodeCustomerTerms } from "./customer-terms-json.ts";

const TERMS: CustomerTerms = {
  prices: {
    // The mark of an amount is a member of this name, and an outcome type may have it too.
    nanos: { shape: "binary", amount: nanos(9_007_199_254_740_993n) },
    letters: { shape: "tiered", amount: nanos(1n), bands: [{ fromScore: 0.5, fraction: 1 }] },
  },
  outcomeTypes: {
    nanos: { allowance: 3, bands: null },
    letters: { allowance: 0, bands: { mode: "volume", bands: [{ fromOutcome: 100, fraction: 0.9 }] } },
  },
  discountShare: 0.05,
  discountFixed: nanos(10_000_000_000n),
  commitmentMinimum: nanos(0n),
};

test("a customer's terms come back from their JSON as they were, to the nano", () => {
  const stored = JSON.parse(JSON.stringify(encodeCustomerTerms(TERMS))) as JsonObject;
  expect(decodeCustomerTerms(stored)).toEqual(TERMS);
});
