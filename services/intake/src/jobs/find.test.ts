/** Hazard: a job that the database would show is shown, because nobody has asked whose it is. */
import type { JobView } from "@contingent/db/job-views";
import { expect, test } from "vitest";
import type { Caller } from "../http/authenticate.ts";
import { customerAskedFor } from "../http/customer-asked-for.ts";
import { findJob } from "./find.ts";

const CUSTOMER: Caller = { kind: "customer", customerId: "cus_mine", keyId: "key_mine", scopes: ["*"] };
const OPERATOR: Caller = { kind: "operator", keyId: "key_operator", scopes: ["*"] };

/** A database that shows every job to everybody, as this customer's. */
function jobsOf(customerId: JobView["customerId"]): Parameters<typeof findJob>[0] {
  return { views: (id) => Promise.resolve({ id, customerId } as JobView) };
}

test("a customer finds a job of their own, and none of another's; an operator finds both", async () => {
  await expect(findJob(jobsOf("cus_mine"), CUSTOMER, "job_1")).resolves.toMatchObject({ id: "job_1" });
  await expect(findJob(jobsOf("cus_other"), CUSTOMER, "job_1")).rejects.toMatchObject({ code: "job_not_found" });
  await expect(findJob(jobsOf("cus_other"), OPERATOR, "job_1")).resolves.toMatchObject({ id: "job_1" });
});

test("a list is of the customer's own things, whatever is asked for; an operator's of whose it is asked", () => {
  expect(customerAskedFor(CUSTOMER, undefined)).toBe("cus_mine");
  expect(customerAskedFor(CUSTOMER, "cus_mine")).toBe("cus_mine");
  expect(() => customerAskedFor(CUSTOMER, "cus_other")).toThrow("Only operators");
  expect(customerAskedFor(OPERATOR, "cus_other")).toBe("cus_other");
  expect(customerAskedFor(OPERATOR, undefined)).toBeUndefined();
});
