/** The mix of hazards, for a minute. `npm run chaos` does the same for as long as is wished. */
import { expect, test } from "vitest";
import { letLoose } from "../chaos/chaos.ts";
import { breakersAutomatic } from "../harness/breakers.ts";
import type { GetWorld } from "../harness/use-world.ts";

const DURATION_MS = 60_000;
/** As many as the machine keeps up with. */
const RATE_PER_S = 100;
const OPEN_MAX = 200;

export function everythingAtOnce(get: GetWorld): void {
  test("for a minute everything is broken again and again: nothing lost, no violation, none over its cap, none charged twice", async () => {
    const world = get();
    await using _ = await breakersAutomatic(world.system);
    const { placed, faults, findings, refusals } = await letLoose(world, {
      durationMs: DURATION_MS,
      ratePerS: RATE_PER_S,
      openMax: OPEN_MAX,
    });
    expect({ findings, refusals }).toEqual({ findings: [], refusals: [] });
    expect(placed).toBeGreaterThan(0);
    expect(faults).toBeGreaterThan(0);
  });
}
