/** Hazard: money that rests on a judge that believes everything. Models judge as in production; the simulator is scripted. */
import type { JudgeBody } from "@contingent/contracts/http/judges";
import type { ReviewBody } from "@contingent/contracts/http/reviews";
import type { Json } from "@contingent/core/json";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { billOf, nanosOf } from "./support/bills.ts";
import { type Case, publish, settle, submit } from "./support/cases.ts";
import { expectCharged } from "./support/expectations.ts";
import { SONNET, step, type TypeChanges } from "./support/sums.ts";
import { describeOn, useSystem } from "./support/use-system.ts";

/** In each judge's instructions, next to the name of the type that it judges for. */
const judgeOf = (type: string): string => `The task is "${type}"`;

/** As the sums of all tests here, with a judge besides. */
function judged(options: { readonly [name: string]: Json }): TypeChanges {
  const sums = [
    { total: "/net", parts: ["/a", "/b"] },
    { total: "/gross", parts: ["/net", "/tax"] },
  ];
  const judge = { rubric: "The numbers are those of the input.", models: [SONNET], cost_max: "0.05", ...options };
  return {
    cascade: [step("fast")],
    validator: {
      all: [
        { use: "arithmetic", options: { sums } },
        { use: "llm_judge", options: judge },
      ],
    },
  };
}

describeOn("postgres", "judges", () => {
  const system = useSystem(() => ({ transport: "postgres", workers: { standard: 0, premium: 0 } }));

  /** The job waits for a person, because its validators keep breaking. */
  async function putBeforePerson(it: Case): Promise<void> {
    await until(
      async () => {
        const asked = "SELECT 1 FROM inquiry WHERE job_id = $1 AND kind = 'validator_error' AND outcome IS NULL";
        return (await system().pool.query(asked, [it.id])).rowCount === 1;
      },
      { timeoutMs: 20_000, intervalMs: 50, what: `${it.id} to be put before a person` },
    );
    expect(await it.now()).toMatchObject({ state: "validating", billable: false, price: null });
  }

  test.concurrent("an outcome that the judge finds right is charged, and the judge's votes are paid for as the provider bills them", async () => {
    const type = await publish(system(), judged({ votes: 3, canaries: { rate: 0 } }));
    system().simulator.script({ match: judgeOf(type), steps: ["right"], afterwards: "last" });
    const { it, job } = await settle(system(), { type });
    await expectCharged(system(), it, job);
    const votes = system()
      .simulator.billed()
      .filter(({ prompt_excerpt: prompt }) => prompt.startsWith("<<<"));
    expect(votes.filter(({ model }) => model === SONNET).length).toBeGreaterThanOrEqual(3);
    const { rows } = await system().pool.query<{ cost: bigint; votes: number }>(
      "SELECT cost_nanos AS cost, jsonb_array_length(detail -> 'votes') AS votes FROM inquiry WHERE job_id = $1",
      [it.id],
    );
    expect(rows).toEqual([{ cost: expect.any(BigInt) as bigint, votes: 3 }]);
    const ofVotes = rows[0]?.cost ?? 0n;
    expect(votes.map(billOf)).toEqual(expect.arrayContaining([ofVotes / 3n]));
    expect(nanosOf(job.cost)).toBe(it.bill() + ofVotes);
  });

  test.concurrent("a judge that passes everything is suspended after a few known-bad answers, and the next job is not billed on it", async () => {
    const type = await publish(system(), judged({ canaries: { rate: 1, limit: 0.2 } }));
    const gullible = { step: "wrong", spoil: "gullible" } as const;
    system().simulator.script({ match: judgeOf(type), steps: [gullible], afterwards: "last" });
    const judges = async (): Promise<readonly JudgeBody[]> =>
      ((await system().operator.send({ path: `/v1/judges?outcome_type=${type}` })).body as { data: JudgeBody[] }).data;

    const believed = await Promise.all(Array.from({ length: 5 }, async () => settle(system(), { type })));
    expect(believed.map(({ job }) => job.billable)).toEqual([true, true, true, true, true]);
    expect(await judges()).toMatchObject([{ state: "judging", canaries: { asked: 5, passed: 5, rate: 1 } }]);

    const doubted = await submit(system(), { type });
    await putBeforePerson(doubted);
    const [judge] = await judges();
    expect(judge).toMatchObject({ state: "suspended", model: SONNET, canaries: { asked: 5 } });

    const reinstated = {
      method: "POST",
      path: `/v1/judges/${judge?.id}/reinstate`,
      body: { reason: "Tried by hand." },
    };
    expect((await system().operator.send(reinstated)).status).toBe(200);
    expect(await judges()).toMatchObject([{ state: "judging", canaries: { asked: 0 } }]);
    expect((await doubted.cancel()).status).toBe(200);
  });

  test.concurrent("a judge whose reply cannot be read bills nothing: a person is asked and decides, and what it has cost is in the books", async () => {
    const type = await publish(system(), judged({ canaries: { rate: 0 } }));
    system().simulator.script({ match: judgeOf(type), steps: ["garbage"], afterwards: "last" });
    const it = await submit(system(), { type });
    await putBeforePerson(it);
    const { rows } = await system().pool.query<{ outcome: string | null; cost_state: string }>(
      "SELECT outcome, cost_state FROM inquiry WHERE job_id = $1 AND kind = 'leaf'",
      [it.id],
    );
    expect(rows).toEqual(rows.map(() => ({ outcome: "broke", cost_state: "known" })));
    expect(rows).toHaveLength(3);

    const query = `kind=validator_error&outcome_type=${type}`;
    const { body: page } = await system().operator.send({ path: `/v1/reviews?${query}` });
    const { data } = page as { readonly data: readonly ReviewBody[] };
    expect(data.map(({ job }) => job)).toEqual([it.id]);
    const body = { decision: "pass", reason: "The sums are right." };
    const decided = { method: "POST", path: `/v1/reviews/${data[0]?.id}/decision`, body };
    expect((await system().operator.send(decided)).status).toBe(200);
    const job = await it.closed();
    expect(job).toMatchObject({ resolution: "success", reason: "verified", attempts: 1 });
    await expectCharged(system(), it, job);
  });
});
