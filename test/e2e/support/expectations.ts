/** What tests promise about money, in one place: the job's JSON, the books and the provider's bill must agree. */
import type { OperatorJobBody } from "@contingent/contracts/http/job";
import type { System } from "@contingent/testkit/system";
import { expect } from "vitest";
import { nanosOf } from "./bills.ts";
import { bookedFor } from "./books.ts";
import type { Case } from "./cases.ts";
import { PRICE } from "./sums.ts";

/** The job was charged this much, once, and costs what the provider's own bill says. */
export async function expectCharged(system: System, it: Case, job: OperatorJobBody, amount = PRICE): Promise<void> {
  const price = { amount, currency: "USD" };
  expect(job).toMatchObject({ state: "closed", billable: true, price, charge: { amount, currency: "USD" } });
  const books = await bookedFor(system, it.id);
  expect(books).toMatchObject({ charged: nanosOf(price), held: 0n, cost: nanosOf(job.cost) });
  expect(books.keys.filter((key) => key === `charge:${it.id}`)).toHaveLength(1);
  expect(books.keys).not.toContain(`void:${it.id}`);
  expect(nanosOf(job.margin)).toBe(nanosOf(price) - nanosOf(job.cost));
}

/** The job ended as a failure for this reason, and its customer pays nothing. */
export async function expectUnbilled(
  system: System,
  it: Case,
  job: OperatorJobBody,
  reason: OperatorJobBody["reason"],
): Promise<void> {
  expect(job).toMatchObject({ state: "closed", resolution: "failure", reason });
  expect(job).toMatchObject({ billable: false, price: null, charge: null, output: null });
  const books = await bookedFor(system, it.id);
  expect(books).toMatchObject({ charged: 0n, held: 0n, cost: nanosOf(job.cost) });
  expect(books.keys.filter((key) => key === `void:${it.id}`)).toHaveLength(1);
  expect(books.keys).not.toContain(`charge:${it.id}`);
}

/** Every call was answered, so the job costs what the provider bills, to the nano. */
export function expectCostAsBilled(it: Case, job: OperatorJobBody): void {
  expect(nanosOf(job.cost)).toBe(it.bill());
}

/** What happened to the job, in order: the events' types. */
export async function storyOf(it: Case): Promise<readonly string[]> {
  const events = await it.events();
  expect(events.map((event) => event.revision)).toEqual(events.map((_, index) => index + 1));
  return events.map((event) => event.type);
}

/** Tier, model and outcome of each attempt, in order. */
export function attemptsOf(job: OperatorJobBody): readonly string[] {
  return (job.attempt_list ?? []).map(({ tier, model, outcome }) => `${tier} ${model} ${outcome ?? "running"}`);
}
