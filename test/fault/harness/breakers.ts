/** Circuit breakers, which are forced closed in a world of hazards unless a hazard is about them. */
import { rates } from "@contingent/catalog/models";
import type { System } from "@contingent/testkit/system";
import { expect } from "vitest";

/** Lets breakers decide by themselves, as in production, until it is disposed of. */
export async function breakersAutomatic(system: System, models?: readonly string[]): Promise<AsyncDisposable> {
  const known = rates().filter(({ model }) => models === undefined || models.includes(model));
  const set = async (state: "automatic" | "closed"): Promise<void> => {
    for (const { provider, model } of known) {
      const path = `/v1/providers/${provider}/breaker`;
      const body = { model, state, reason: "A hazard." };
      const { status } = await system.operator.send({ method: "PUT", path, body });
      expect(status, `setting the breaker of ${model}`).toBe(200);
    }
  };
  await set("automatic");
  return { [Symbol.asyncDispose]: () => set("closed") };
}
