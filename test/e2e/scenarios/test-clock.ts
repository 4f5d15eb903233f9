/** Time that passes when an operator says so: what would take a month is over in seconds, for one customer only. */
import { customerSchema } from "@contingent/contracts/http/customers";
import { until } from "@contingent/testkit/until";
import type { System } from "@contingent/testkit/system";
import { expect, test } from "vitest";
import { answer, publish, submit } from "../support/cases.ts";
import { untilState } from "../support/jobs.ts";
import { RIGHT, step, type TypeChanges, WRONG } from "../support/sums.ts";
import type { GetSystem } from "../support/use-system.ts";

const DAY_MS = 24 * 3_600_000;
/** The sweeper and the duties look twice a second. */
const SOON = { timeoutMs: 10_000, intervalMs: 20 };

export function testClockTests(system: GetSystem): void {
  /** The system as seen with the key of a customer whose clock this test may move. */
  async function ofAnother(
    options: object = {},
  ): Promise<System & { readonly advance: (ms: number) => Promise<void> }> {
    const { api } = system();
    const { operator } = system();
    const made = await operator.call({ method: "POST", path: "/v1/customers", body: { name: "Later", ...options } });
    const { id } = customerSchema.parse(made);
    const path = `/v1/customers/${id}`;
    const key = (await operator.call({ method: "POST", path: `${path}/keys`, body: { label: "e2e" } })) as {
      key: string;
    };
    const advance = async (advance_ms: number): Promise<void> => {
      await operator.call({ method: "POST", path: `${path}/test-clock`, body: { advance_ms } });
    };
    return { ...system(), api: api.as(key.key), keys: { ...system().keys, customerId: id }, advance };
  }

  async function read(its: System): Promise<ReturnType<typeof customerSchema.parse>> {
    return customerSchema.parse(await its.operator.call({ path: `/v1/customers/${its.keys.customerId}` }));
  }

  const WINDOW: TypeChanges = { acceptance: { mode: "window", duration_ms: 20 * DAY_MS, on_silence: "accept" } };

  test.concurrent("an acceptance window of weeks is over within seconds, and another customer's stays open", async () => {
    const [moved, other] = [await ofAnother(), await ofAnother()];
    const type = await publish(system(), WINDOW);
    const [it, its] = [await submit(moved, { type }), await submit(other, { type })];
    await untilState(moved, it.id, "awaiting_acceptance");
    await untilState(other, its.id, "awaiting_acceptance");
    await moved.advance(20 * DAY_MS - 60_000);
    expect((await it.now()).state).toBe("awaiting_acceptance");
    await moved.advance(60_000);
    const job = await it.closed();
    expect(job).toMatchObject({ reason: "accepted_by_silence", billable: true });
    expect(Date.parse(job.closed_at ?? "") - Date.parse(job.created_at)).toBeGreaterThanOrEqual(20 * DAY_MS);
    expect((await its.now()).state).toBe("awaiting_acceptance");
  });

  test.concurrent("a long wait before the next attempt is over, though the queue keeps its message longer", async () => {
    const its = await ofAnother();
    const retry = { initial_delay_ms: 3_600_000, multiplier: 1, jitter: 0, delay_max_ms: 3_600_000 };
    const cascade = [step("fast", { attempts_max: 2, retry })];
    const it = await submit(its, { terms: { cascade, deadline_ms: DAY_MS }, steps: [answer(WRONG), answer(RIGHT)] });
    await until(async () => (await it.now()).attempts === 1 && (await it.now()).state === "queued", SOON);
    await its.advance(3_600_000);
    expect(await it.closed()).toMatchObject({ resolution: "success", attempts: 2 });
  });

  test.concurrent("a deadline passes for a job that waits", async () => {
    const its = await ofAnother();
    const retry = { initial_delay_ms: 3_600_000, multiplier: 1, jitter: 0, delay_max_ms: 3_600_000 };
    const cascade = [step("fast", { attempts_max: 2, retry })];
    const it = await submit(its, { terms: { cascade, deadline_ms: DAY_MS }, steps: [answer(WRONG)] });
    await until(async () => (await it.now()).attempts === 1 && (await it.now()).state === "queued", SOON);
    await its.advance(DAY_MS);
    expect(await it.closed()).toMatchObject({ resolution: "failure", reason: "deadline" });
  });

  test.concurrent("prepaid money expires, also what comes back from a job afterwards, and the customer is told", async () => {
    const its = await ofAnother({ billing: "prepaid" });
    const path = `/v1/customers/${its.keys.customerId}/top-ups`;
    const expires_at = new Date(Date.now() + 10 * DAY_MS).toISOString();
    await its.operator.call({ method: "POST", path, body: { ref: "one", amount: "1.00", expires_at } });
    const it = await submit(its, { terms: { acceptance: { mode: "explicit", until_ms: 20 * DAY_MS } } });
    await untilState(its, it.id, "awaiting_acceptance");
    const held = (await read(its)).held.amount;
    await its.advance(10 * DAY_MS);
    const told = async (): Promise<readonly string[]> => {
      const page = (await its.api.call({ path: "/v1/events?type=grant.expired" })) as {
        data: { data: { amount: string } }[];
      };
      return page.data.map(({ data }) => data.amount);
    };
    await until(async () => (await told()).length === 1, SOON);
    expect((await it.decide({ decision: "reject", reason: "Too late." })).status).toBe(200);
    await it.closed();
    await until(async () => (await told()).length === 2, SOON);
    expect((await told())[0]).toBe(held);
    expect(await read(its)).toMatchObject({ held: { amount: "0.00" }, prepaid: { grants: [] } });
  });
}
