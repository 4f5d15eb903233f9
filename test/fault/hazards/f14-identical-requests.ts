/** A hundred clients, or one that is impatient, ask for the same thing at the same instant. */
import { expect, test } from "vitest";
import { newMarker, publish } from "../../e2e/support/cases.ts";
import { INPUT } from "../../e2e/support/sums.ts";
import type { GetWorld } from "../harness/use-world.ts";

const REQUESTS = 100;

export function identicalRequests(get: GetWorld): void {
  test("a hundred identical requests at once are one job, and every answer names it or says when to ask again", async () => {
    const { system } = get();
    const outcome_type = await publish(system);
    const key = { "idempotency-key": `"${newMarker()}"` };
    const send = (marker: string, headers: Readonly<Record<string, string>>) =>
      system.api.send({
        method: "POST",
        path: "/v1/jobs",
        body: { outcome_type, input: { marker, ...INPUT }, outcome_key: "one" },
        headers,
      });
    const marker = newMarker();
    const answers = await Promise.all(Array.from({ length: REQUESTS }, () => send(marker, key)));
    const [first, ...others] = await jobsOf(get, outcome_type);
    expect(others).toEqual([]);
    // Those that come while the first one is being served are told to ask again.
    const early = answers.filter(({ status }) => status === 409);
    expect(early.filter(({ headers }) => headers.get("retry-after") === null)).toEqual([]);
    for (const { status, body } of answers.filter((each) => !early.includes(each))) {
      expect({ status, body }).toMatchObject({ status: 202, body: { id: first } });
    }
    expect(early.length).toBeLessThan(REQUESTS);

    // Without the key it is the outcome that is the same.
    const again = await Promise.all(Array.from({ length: REQUESTS }, () => send(marker, {})));
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set([200]));
    const other = newMarker();
    expect(await send(other, key)).toMatchObject({ status: 422, body: { error: { code: "idempotency_key_reused" } } });
    expect(await send(other, {})).toMatchObject({ status: 409, body: { error: { code: "outcome_key_conflict" } } });
    expect(await jobsOf(get, outcome_type)).toEqual([first]);
    await system.api.closed(first ?? "");
  });
}

async function jobsOf(get: GetWorld, type: string): Promise<readonly string[]> {
  const { rows } = await get().system.pool.query<{ id: string }>({
    text: "SELECT id FROM job WHERE outcome_type = $1",
    values: [type],
  });
  return rows.map(({ id }) => id);
}
