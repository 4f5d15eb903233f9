/** F19: the mix of hazards, for a minute. `npm run chaos` does the same for as long as is wished. */
import type { TransportName } from "@contingent/testkit/transports";
import { expect, test } from "vitest";
import { describeOn } from "../../e2e/support/use-system.ts";
import { SEED } from "../harness/use-world.ts";
import { runChaos } from "./chaos.ts";

const DURATION_MS = 60_000;
/** As many as the machine keeps up with: fewer are made while many jobs are open. */
const RATE_PER_S = 100;
const TIMEOUT_MS = 300_000;

export function chaosTest(transport: TransportName): void {
  describeOn(transport, `chaos, seed ${SEED}`, () => {
    test(
      "for a minute everything is broken again and again: nothing lost, no violation, none over its cap, none charged twice",
      async () => {
        const { placed, findings, refusals } = await runChaos({
          transport,
          seed: SEED,
          durationMs: DURATION_MS,
          ratePerS: RATE_PER_S,
        });
        expect({ findings, refusals }).toEqual({ findings: [], refusals: [] });
        expect(placed).toBeGreaterThan(0);
      },
      TIMEOUT_MS,
    );
  });
}
