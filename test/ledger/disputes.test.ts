/** Hazard: a charge that is given back twice, in doubt for ever, or given back in the wrong way or at the wrong time. */
import type { DisputeId, JobId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { periodAt, statementIdOf } from "@contingent/core/statement/period";
import { closeStatement } from "@contingent/ledger/statement/close";
import { type DisputeEnd, resolveDispute } from "@contingent/ledger/disputes/resolve-dispute";
import { acceptedJob, driveTo } from "@contingent/testkit/jobs";
import { clockMoved, customerWith } from "@contingent/testkit/customers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { credit, dispute, idOf, movedBy, PRICE, violations } from "./charged.ts";

const db = databaseOfThisFile();

const HOUR_MS = 3_600_000;

async function creditedOf(jobId: JobId): Promise<bigint> {
  const { rows } = await db.pool.query<{ total: bigint }>(
    "SELECT coalesce(sum(amount_nanos), 0)::bigint AS total FROM credit_note WHERE job_id = $1",
    [jobId],
  );
  return rows[0]?.total ?? 0n;
}

async function stateOf(id: DisputeId): Promise<string | undefined> {
  return (await db.pool.query<{ state: string }>("SELECT state FROM dispute WHERE id = $1", [id])).rows[0]?.state;
}

describe("a dispute", () => {
  test("puts what is disputed in doubt, until it is resolved", async () => {
    const job = await driveTo(db.pool, "closed");
    const id = idOf(await dispute(db.pool, job, 200n));
    expect(await movedBy(db.pool, job, ["dispute"])).toEqual({ "revenue:accrued": 200, "revenue:disputed": -200 });
    expect(await resolveDispute(db.pool, id, { outcome: "uphold", reason: "It is right." })).toEqual({
      kind: "resolved",
    });
    expect(await movedBy(db.pool, job, ["dispute", "credit"])).toEqual({});
    expect(await stateOf(id)).toBe("upheld");
  });

  test("said twice is one dispute, however it stands by then", async () => {
    const job = await driveTo(db.pool, "closed");
    const [first, second] = await Promise.all([dispute(db.pool, job), dispute(db.pool, job)]);
    expect([first.kind, second.kind].toSorted()).toEqual(["opened", "repeated"]);
    expect(idOf(first)).toBe(idOf(second));
    await resolveDispute(db.pool, idOf(first), { outcome: "withdraw" });
    expect(await dispute(db.pool, job)).toEqual({ kind: "repeated", id: idOf(first) });
  });

  test("is not opened beside an open one, and may be after it", async () => {
    const job = await driveTo(db.pool, "closed");
    const id = idOf(await dispute(db.pool, job, 200n));
    expect(await dispute(db.pool, job, 100n)).toEqual({ kind: "open_already", id });
    await resolveDispute(db.pool, id, { outcome: "uphold", reason: "It is right." });
    expect((await dispute(db.pool, job, 100n)).kind).toBe("opened");
  });

  test("is not about what was never charged", async () => {
    expect(await dispute(db.pool, await acceptedJob(db.pool))).toEqual({ kind: "no_charge" });
    expect(await dispute(db.pool, "job_none")).toEqual({ kind: "no_charge" });
    expect(await resolveDispute(db.pool, "dsp_none", { outcome: "withdraw" })).toBeNull();
  });

  test("is not about more than is left of the charge", async () => {
    const job = await driveTo(db.pool, "closed");
    await credit(db.pool, job, 150n, "a");
    expect(await dispute(db.pool, job, 351n)).toEqual({ kind: "too_much", atMost: 350n });
    expect((await dispute(db.pool, job)).kind).toBe("opened");
    expect(await movedBy(db.pool, job, ["dispute"])).toMatchObject({ "revenue:disputed": -350 });
  });

  test("comes too late when the window is over by the customer's clock, whoever has earned the charge or not", async () => {
    const { id: customerId } = await customerWith(db.pool);
    const job = await driveTo(db.pool, "closed", { customerId, terms: { disputeWindowMs: HOUR_MS } });
    await clockMoved(db.pool, customerId, { byMs: 2 * HOUR_MS });
    expect(await dispute(db.pool, job)).toEqual({ kind: "window_over", untilMs: expect.any(Number) as unknown });
  });
});

describe("a decision on a dispute", () => {
  test("that credits it gives back what was disputed, or the part that it names, and no more", async () => {
    const [whole, part] = await Promise.all([driveTo(db.pool, "closed"), driveTo(db.pool, "closed")]);
    const first = idOf(await dispute(db.pool, whole, 300n));
    await resolveDispute(db.pool, first, { outcome: "credit", amount: null, reason: "So it is." });
    expect(await creditedOf(whole)).toBe(300n);
    const second = idOf(await dispute(db.pool, part, 300n));
    const end = { outcome: "credit", reason: "In part." } as const;
    expect(await resolveDispute(db.pool, second, { ...end, amount: nanos(301n) })).toEqual({
      kind: "too_much",
      atMost: 300n,
    });
    expect(await stateOf(second)).toBe("open");
    await resolveDispute(db.pool, second, { ...end, amount: nanos(120n) });
    expect(await creditedOf(part)).toBe(120n);
  });

  test("is made once: the same one again changes nothing, another one is refused", async () => {
    const job = await driveTo(db.pool, "closed");
    const id = idOf(await dispute(db.pool, job, 300n));
    const end = { outcome: "credit", amount: nanos(100n), reason: "So it is." } as const;
    const ends = await Promise.all([resolveDispute(db.pool, id, end), resolveDispute(db.pool, id, end)]);
    expect(ends.map((made) => made?.kind ?? "none").toSorted()).toEqual(["repeated", "resolved"]);
    const others = [
      { ...end, amount: nanos(101n) },
      { outcome: "uphold", reason: end.reason },
      { outcome: "withdraw" },
    ] as const;
    for (const other of others) {
      expect(await resolveDispute(db.pool, id, other)).toEqual({ kind: "resolved_otherwise", state: "credited" });
    }
    expect(await creditedOf(job)).toBe(100n);
  });
});

describe("a credit", () => {
  test("is taken off what the customer owes, when they owe it", async () => {
    const job = await driveTo(db.pool, "closed");
    await credit(db.pool, job, 120n, "a");
    expect(await movedBy(db.pool, job, ["credit"])).toEqual({
      "contra_revenue:credit": 120,
      "receivable:unbilled": -120,
    });
  });

  test("of prepaid money comes back as prepaid money, which never expires and buys everything", async () => {
    const { id: customerId } = await customerWith(db.pool, { grants: [{ amount: 10_000n }] });
    const job = await driveTo(db.pool, "closed", { customerId });
    // Whoever changes to paying later still gets back what was paid before.
    await db.pool.query("UPDATE customer_account SET billing = 'on_account' WHERE customer_id = $1", [customerId]);
    const id = idOf(await dispute(db.pool, job));
    await resolveDispute(db.pool, id, { outcome: "credit", amount: null, reason: "So it is." });
    expect(await movedBy(db.pool, job, ["credit"])).toEqual({ "contra_revenue:credit": 500, "customer:prepaid": -500 });
    const grants = await db.pool.query(
      "SELECT available_nanos, expires_at, outcome_types FROM credit_grant WHERE customer_id = $1 AND kind = 'credit'",
      [customerId],
    );
    expect(grants.rows).toEqual([{ available_nanos: PRICE, expires_at: null, outcome_types: null }]);
  });

  test("under the same reference is given once, also by several at once; for something else it is refused", async () => {
    const job = await driveTo(db.pool, "closed");
    const given = await Promise.all(Array.from({ length: 5 }, () => credit(db.pool, job, 100n, "ticket-1")));
    expect(given.map(({ kind }) => kind).toSorted()).toEqual(["issued", ...Array<string>(4).fill("repeated")]);
    expect(new Set(given.map(idOf)).size).toBe(1);
    expect((await credit(db.pool, job, 101n, "ticket-1")).kind).toBe("ref_taken");
    expect(await creditedOf(job)).toBe(100n);
  });

  test("never lies in a closed period: it lands at the beginning of the open one", async () => {
    const { id: customerId } = await customerWith(db.pool);
    const job = await driveTo(db.pool, "closed", { customerId });
    const id = idOf(await dispute(db.pool, job, 200n));
    const period = periodAt(Date.now());
    const until = new Date(period.endMs);
    const setClock =
      "UPDATE customer_account SET clock_offset = $2::timestamptz - clock_timestamp() WHERE customer_id = $1";
    const present = new Date();
    await db.pool.query(setClock, [customerId, new Date(period.endMs + 1)]);
    expect(await closeStatement(db.pool, statementIdOf(customerId, period))).toMatchObject({ kind: "begun" });
    // Even if the clock is behind the end of what is closed.
    await db.pool.query(setClock, [customerId, present]);
    await credit(db.pool, job, 50n, "late");
    await resolveDispute(db.pool, id, { outcome: "credit", amount: null, reason: "So it is." });
    const { rows } = await db.pool.query<{ dated: Date; noted: Date }>(
      `SELECT t.dated_at AS dated, n.at AS noted FROM credit_note n JOIN ledger_transaction t ON t.credit_note_id = n.id
        WHERE n.job_id = $1`,
      [job],
    );
    expect(rows).toEqual([
      { dated: until, noted: until },
      { dated: until, noted: until },
    ]);
  });
});

test("fifty credit notes at once give back the charge and no nano more", async () => {
  const job = await driveTo(db.pool, "closed");
  const kinds = await Promise.all(
    Array.from({ length: 50 }, async (_, n) => (await credit(db.pool, job, 40n, `note-${n}`)).kind),
  );
  expect(kinds.filter((kind) => kind === "issued")).toHaveLength(12);
  expect(kinds.filter((kind) => kind === "too_much")).toHaveLength(38);
  expect(await creditedOf(job)).toBe(480n);
});

const amounts = fc.option(fc.bigInt({ min: 1n, max: 700n }).map(nanos));
const reasons = fc.constantFrom("This.", "That.");
const ends: fc.Arbitrary<DisputeEnd> = fc.oneof(
  fc.record({ outcome: fc.constant("credit" as const), amount: amounts, reason: reasons }),
  fc.record({ outcome: fc.constant("uphold" as const), reason: reasons }),
  fc.record({ outcome: fc.constant("withdraw" as const) }),
);
const steps = fc.oneof(
  fc.record({ type: fc.constant("dispute" as const), asked: amounts }),
  fc.record({ type: fc.constant("note" as const), amount: fc.bigInt({ min: 1n, max: 700n }) }),
  fc.record({ type: fc.constant("end" as const), end: ends }),
);

test("whatever is disputed, decided and credited, one after the other or at once, a charge is given back once at most", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(steps, { minLength: 1, maxLength: 4 }), { maxLength: 6 }), async (rounds) => {
      const job = await driveTo(db.pool, "closed");
      let open: DisputeId = "dsp_none";
      for (const [n, round] of rounds.entries()) {
        const atOnce = round.map(async (step, m) => {
          if (step.type === "note") await credit(db.pool, job, step.amount, `${n}-${m}`);
          if (step.type === "end") await resolveDispute(db.pool, open, step.end);
          if (step.type !== "dispute") return;
          const opened = await dispute(db.pool, job, step.asked, `${n}-${m}`);
          if (opened.kind === "opened") open = opened.id;
        });
        await Promise.all(atOnce);
        expect(await creditedOf(job)).toBeLessThanOrEqual(PRICE);
      }
      expect(await violations(db.pool)).toEqual([]);
    }),
    { numRuns: 25 },
  );
});

test("after all of this the books hold", async () => {
  expect(await violations(db.pool)).toEqual([]);
});
