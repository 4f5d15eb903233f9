/** A provider that fails in every way it can. It is no attempt, costs what it costs, and a crowd does not wait at its door. */
import { THRESHOLDS } from "@contingent/core/breaker/breaker";
import type { ProviderModelBody } from "@contingent/contracts/http/providers";
import type { StepInput } from "@contingent/simulator/server";
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { publish, settle, submit } from "../../e2e/support/cases.ts";
import { attemptsOf, expectCharged, storyOf } from "../../e2e/support/expectations.ts";
import { HAIKU, OPUS, RIGHT, SONNET, step } from "../../e2e/support/sums.ts";
import { breakersAutomatic } from "../harness/breakers.ts";
import { FAST_WORKERS } from "../harness/processes.ts";
import type { GetWorld } from "../harness/use-world.ts";

const TIERS = [
  { tier: "fast", model: HAIKU, next: "standard", nextModel: SONNET },
  { tier: "standard", model: SONNET, next: "premium", nextModel: OPUS },
  { tier: "premium", model: OPUS, next: "fast", nextModel: HAIKU },
] as const;

const TROUBLES: readonly (readonly [outcome: string, step: StepInput])[] = [
  ["unavailable", "overloaded"],
  ["unavailable", { step: "server_error", status: 500 }],
  ["unavailable", { step: "cut", at: "head" }],
  ["unavailable", { step: "cut", at: "start" }],
  ["unavailable", { step: "cut", at: "half" }],
  ["unavailable", { step: "answer_json", json: RIGHT, usage: { output_tokens: "many" } }],
  ["unavailable", { step: "answer_json", json: RIGHT, usage: { input_tokens: -1 } }],
  ["timeout", "hang"],
  // An answer, however useless: whoever judges it says so.
  ["answered", "garbage"],
];

const OUTAGE_JOBS = 30;
const OPENS_WITHIN_MS = 5_000;
const ACT = { intervalMs: 20 };

export function providerFails(get: GetWorld): void {
  test("whatever goes wrong with a call, on whichever tier, another model does the job, and the books have what it cost", async () => {
    const { system } = get();
    const settled = TIERS.flatMap(({ tier, model, next, nextModel }) =>
      TROUBLES.map(async ([outcome, trouble]) => {
        // Whatever does not wait for the end of its time has enough of it, on any machine.
        const timeout_ms = outcome === "timeout" ? 1_000 : 60_000;
        const cascade = [step(tier, { attempts_max: 1, timeout_ms }), step(next, { attempts_max: 1 })];
        const { it, job } = await settle(system, { terms: { cascade }, steps: [trouble] });
        expect(attemptsOf(job)).toEqual([`${tier} ${model} ${outcome}`, `${next} ${nextModel} answered`]);
        expect(await storyOf(it)).toContain(outcome === "unavailable" ? "job.fell_back" : "job.escalated");
        await expectCharged(system, it, job);
      }),
    );
    await Promise.all(settled);
  });

  test("a provider that is gone is left alone within seconds, asked by one call at a time, and used again when it is back", async () => {
    const { system } = get();
    const retry = { initial_delay_ms: 100, multiplier: 2, jitter: 0.2, delay_max_ms: 400 };
    const type = await publish(system, { cascade: [step("fast", { retry })] });
    const outage = system.simulator.script({ match: "", model: HAIKU, steps: ["overloaded"], afterwards: "last" });
    await using _ = await breakersAutomatic(system, [HAIKU]);
    try {
      const cases = await Promise.all(Array.from({ length: OUTAGE_JOBS }, () => submit(system, { type })));
      const open = await untilBreaker(system, ({ state }) => state !== "closed");
      const openedAtMs = Date.parse(open.since ?? "");
      await untilBreaker(system, ({ because }) => because === "The probe failed.");
      await endScript(system, outage);
      const closed = await untilBreaker(system, ({ state }) => state === "closed");
      for (const it of cases) {
        const job = await it.closed();
        expect(job).toMatchObject({ resolution: "success", attempts: expect.any(Number) as number });
        await expectCharged(system, it, job);
      }
      const ids = cases.map(({ id }) => id);
      const calls = await callTimesOf(system, ids);
      expect(openedAtMs - (calls[THRESHOLDS.callsMin - 1] ?? 0), "how long after enough calls").toBeLessThan(
        OPENS_WITHIN_MS,
      );
      // Whoever was let through before may still be about to call; from the first probe on nobody else is.
      const closedAtMs = Date.parse(closed.since ?? "");
      const whileAway = calls.filter((atMs) => atMs > openedAtMs + 1_000 && atMs < closedAtMs);
      const probes = probesIn(system);
      expect(probes).toBeGreaterThanOrEqual(2);
      expect(whileAway.length, "calls while it was away").toBeLessThanOrEqual(probes);
    } finally {
      await endScript(system, outage);
    }
  });
}

async function untilBreaker(system: System, holds: (model: ProviderModelBody) => boolean): Promise<ProviderModelBody> {
  return await until(
    async () => {
      const { body } = await system.operator.send({ path: "/v1/providers?limit=100" });
      const found = (body as { data: readonly ProviderModelBody[] }).data.find(({ model }) => model === HAIKU);
      return found !== undefined && holds(found) ? found : undefined;
    },
    { ...ACT, what: "the breaker to change" },
  );
}

async function endScript({ simulator }: System, id: string): Promise<void> {
  await fetch(`${simulator.url}/__simulator/scripts/${id}`, { method: "DELETE" });
}

/** When the jobs' calls were begun, ms since the epoch, in order. */
async function callTimesOf(system: System, ids: readonly string[]): Promise<readonly number[]> {
  const { rows } = await system.pool.query<{ at: Date }>({
    text: "SELECT started_at AS at FROM attempt WHERE job_id = ANY($1) ORDER BY started_at",
    values: [ids],
  });
  return rows.map(({ at }) => at.getTime());
}

/** How often a worker has taken the probe, by their logs. */
function probesIn(system: System): number {
  const lines = FAST_WORKERS.flatMap((name) => system.log(name).split("\n"));
  return lines.filter((line) => line.includes('"to":"half_open"') && line.includes(HAIKU)).length;
}
