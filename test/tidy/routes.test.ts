/** Hazard: an endpoint that nobody has held against everybody who could call it. */
import { OPERATIONS } from "@contingent/contracts/http/operations";
import { CUSTOMER_SCOPES, OPERATOR_SCOPES } from "@contingent/core/keys/scopes";
import { expect, test } from "vitest";
import { ROWS } from "../security/authorisation/rows.ts";

test("every operation has a row in the matrix of test/security/authorisation/rows.ts", () => {
  expect(Object.keys(ROWS).toSorted()).toEqual(OPERATIONS.map(({ id }) => id).toSorted());
});

test("every scope opens something, and what customers may have opens something for them", () => {
  expect(new Set(OPERATIONS.map(({ scope }) => scope))).toEqual(new Set([null, ...OPERATOR_SCOPES]));
  const forCustomers = OPERATIONS.filter(({ access }) => access === "any" || access === "customer");
  expect(new Set(forCustomers.map(({ scope }) => scope))).toEqual(new Set(CUSTOMER_SCOPES));
});

test("what only reads needs a scope that only reads; what writes one that writes, but for what runs checks again", () => {
  const readers = OPERATIONS.filter(({ method, scope }) => method === "get" && scope !== null);
  expect(readers.filter(({ scope }) => scope?.endsWith(":read") !== true)).toEqual([]);
  const writers = OPERATIONS.filter(({ method, scope }) => method !== "get" && scope?.endsWith(":write") === false);
  expect(writers.map(({ id }) => id)).toEqual(["reverifyJob"]);
});
