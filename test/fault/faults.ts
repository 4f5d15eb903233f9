/**
 * Processes that die, freeze and are told to stop, messages that are lost, a database and a provider that go away. After
 * each: every accepted job is closed as it should be, charged at most once, and the books are sound.
 */
import type { TransportName } from "@contingent/testkit/transports";
import { describe } from "vitest";
import { describeOn } from "../e2e/support/use-system.ts";
import { awayTests } from "./scenarios/away.ts";
import { killTests } from "./scenarios/kills.ts";
import { lateTests } from "./scenarios/late.ts";
import { stopTests } from "./scenarios/stops.ts";
import { useBreakableSystem } from "./support/breakable.ts";

export function faultTests(transport: TransportName): void {
  describeOn(transport, "faults", () => {
    const system = useBreakableSystem(transport);
    describe("a process is killed", () => killTests(system));
    describe("an answer or a verdict comes too late", () => lateTests(system));
    describe("a process is told to stop", () => stopTests(system));
    describe("something is away", () => awayTests(system));
  });
}
