/**
 * The pipeline end to end, through the public API: real processes, a real database, a real queue, a scripted provider.
 * The files `on-<transport>.test.ts` run all of it on one transport each, with one system for all tests. Tests that kill
 * processes or need them configured otherwise are in test/fault and test/trace.
 */
import type { TransportName } from "@contingent/testkit/transports";
import { describe } from "vitest";
import { acceptanceTests } from "./scenarios/acceptance.ts";
import { cascadeTests } from "./scenarios/cascade.ts";
import { duplicateTests } from "./scenarios/duplicates.ts";
import { cancelTests, costCapTests, deadlineTests } from "./scenarios/limits.ts";
import { priceTests } from "./scenarios/prices.ts";
import { providerTests } from "./scenarios/provider.ts";
import { rateTests } from "./scenarios/rates.ts";
import { retryTests } from "./scenarios/retries.ts";
import { reviewTests } from "./scenarios/reviews.ts";
import { scaleTests } from "./scenarios/scale.ts";
import { testClockTests } from "./scenarios/test-clock.ts";
import { describeOn, useSystem } from "./support/use-system.ts";

export function pipelineTests(transport: TransportName): void {
  describeOn(transport, "the pipeline", () => {
    const system = useSystem(() => ({ transport, workers: { premium: 2 } }), { withoutErrors: true });
    describe("from an answer to a bill", () => cascadeTests(system));
    describe("how often a tier is tried", () => retryTests(system));
    describe("a provider in trouble", () => providerTests(system));
    describe("the cost cap", () => costCapTests(system));
    describe("prices by what is delivered", () => priceTests(system));
    describe("the deadline", () => deadlineTests(system));
    describe("canceling", () => cancelTests(system));
    describe("acceptance", () => acceptanceTests(system));
    describe("answers that a person decides on", () => reviewTests(system));
    describe("a test clock", () => testClockTests(system));
    describe("what models cost", () => rateTests(system));
    describe("messages that should not be there", () => duplicateTests(system));
    describe("many at once", () => scaleTests(system));
  });
}
