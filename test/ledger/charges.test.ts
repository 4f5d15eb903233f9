/** Hazard: a customer who pays for something that was not verified, or pays for it twice: by our code or by hand. */
import type { JobId } from "@contingent/core/ids";
import { openCommit } from "@contingent/db/commit";
import { newId } from "@contingent/db/ids";
import { PLAIN } from "@contingent/db/payloads/payloads";
import { settlementEntries } from "@contingent/ledger/settle";
import {
  acceptedJob,
  answer,
  claim,
  CUSTOMER,
  driveTo,
  happens,
  judge,
  loadedJob,
  OUTCOME_TYPE,
  take,
  transitionBy,
} from "@contingent/testkit/jobs";
import { beforeEach, describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { counted, written } from "../db/written.ts";
import { bookedByHand, captureLegs, head, legs, outcomeOf, type Statement } from "./by-hand.ts";

const db = databaseOfThisFile();
/** What core's fixture holds for a job and charges for a pass. */
const PRICE = 500n;

let jobId: JobId;
let verdictId: string;

beforeEach(async () => {
  jobId = await driveTo(db.pool, "settling");
  verdictId = await verdictOf(jobId);
});

async function verdictOf(id: JobId): Promise<string> {
  const { rows } = await db.pool.query<{ id: string }>("SELECT id FROM verdict WHERE job_id = $1", [id]);
  return rows[0]?.id ?? "vrd_none";
}

interface ChargeChanges {
  readonly jobId?: JobId;
  readonly verdictId?: string | null;
  readonly amount?: bigint;
  readonly outcomeKey?: string | null;
  readonly billable?: boolean;
}

function charge(changes: ChargeChanges = {}): Statement {
  const { outcomeKey = null, amount = PRICE, billable = true } = changes;
  const text = `
    INSERT INTO charge (job_id, customer_id, outcome_type, outcome_key, verdict_id, verdict_billable, amount_nanos, currency, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'USD', now())`;
  const verdict = changes.verdictId === undefined ? verdictId : changes.verdictId;
  return { text, values: [changes.jobId ?? jobId, CUSTOMER, OUTCOME_TYPE, outcomeKey, verdict, billable, amount] };
}

/** The capture that belongs to the charge, as our code books it. */
function capture(id = jobId, price = PRICE, customer: string = CUSTOMER): readonly Statement[] {
  const booked = bookedByHand("capture", id);
  return [head(booked), legs(booked, captureLegs(customer, PRICE, price))];
}

describe("the database refuses", () => {
  test("nothing about a charge with its verdict and its capture", async () => {
    expect(await outcomeOf(db.pool, charge(), ...capture())).toBe("committed");
  });

  test("a capture without a charge", async () => {
    expect(await outcomeOf(db.pool, ...capture())).toBe("ledger_transaction_charged_job_id_fkey");
  });

  test("a charge that is not booked", async () => {
    expect(await outcomeOf(db.pool, charge())).toBe("charge_is_booked");
  });

  test("a charge that is booked at another amount, for another job or to another customer", async () => {
    expect(await outcomeOf(db.pool, charge(), ...capture(jobId, PRICE - 1n))).toBe("charge_is_booked");
    expect(await outcomeOf(db.pool, charge(), ...capture(jobId, PRICE, "cus_other"))).toBe("charge_is_booked");
    const other = await driveTo(db.pool, "settling");
    expect(await outcomeOf(db.pool, charge(), ...capture(other))).toMatch(/^charge_is_booked$|charged_job_id_fkey$/);
  });

  test("a charge without a verdict, or with one that there is not", async () => {
    expect(await outcomeOf(db.pool, charge({ verdictId: null }), ...capture())).toBe("23502");
    const none = charge({ verdictId: "vrd_none" });
    expect(await outcomeOf(db.pool, none, ...capture())).toBe("charge_verdict_id_job_id_verdict_billable_fkey");
  });

  test("a charge with a verdict that failed, even if it says otherwise", async () => {
    const failed = await acceptedJob(db.pool);
    await take(db.pool, failed, claim(), answer(), judge("fail"));
    const failing = { jobId: failed, verdictId: await verdictOf(failed) };
    const bookings = capture(failed);
    expect(await outcomeOf(db.pool, charge(failing), ...bookings)).toBe(
      "charge_verdict_id_job_id_verdict_billable_fkey",
    );
    const honest = charge({ ...failing, billable: false });
    expect(await outcomeOf(db.pool, honest, ...bookings)).toBe("charge_verdict_billable_check");
    const forged = "UPDATE verdict SET decision = 'pass'";
    expect(await outcomeOf(db.pool, forged, charge(failing), ...bookings)).toBe("23001");
  });

  test("a charge with the passing verdict of another job", async () => {
    const other = await driveTo(db.pool, "settling");
    const borrowed = charge({ verdictId: await verdictOf(other) });
    expect(await outcomeOf(db.pool, borrowed, ...capture())).toBe("charge_verdict_id_job_id_verdict_billable_fkey");
  });

  test("a charge for an outcome that the customer rejected, while the one of its rework may be charged", async () => {
    const id = await driveTo(db.pool, "awaiting_acceptance", { terms: { rework: true } });
    const rejected = await verdictOf(id);
    const { progress } = await take(db.pool, id, happens("rejected"), claim(), answer(), judge("pass"));
    expect(await outcomeOf(db.pool, charge({ jobId: id, verdictId: rejected }), ...capture(id))).toBe(
      "charge_is_not_rejected",
    );
    const reworked = progress.best?.verdictId ?? null;
    expect(await outcomeOf(db.pool, charge({ jobId: id, verdictId: reworked }), ...capture(id))).toBe("committed");
  });

  test("a charge of nothing, and one that gives money away", async () => {
    expect(await outcomeOf(db.pool, charge({ amount: 0n }), ...capture())).toBe("charge_amount_nanos_check");
    expect(await outcomeOf(db.pool, charge({ amount: -1n }), ...capture())).toBe("charge_amount_nanos_check");
  });

  test("a second charge for the same job", async () => {
    await outcomeOf(db.pool, charge(), ...capture());
    expect(await outcomeOf(db.pool, charge())).toBe("charge_pkey");
  });

  test("a second capture of the same charge, under any key", async () => {
    await outcomeOf(db.pool, charge(), ...capture());
    const again = bookedByHand("capture", jobId, `charge:${jobId}:again`);
    const lines = captureLegs(CUSTOMER, PRICE, PRICE);
    expect(await outcomeOf(db.pool, head(again), legs(again, lines))).toBe("ledger_transaction_once");
  });

  test("a second charge for the same outcome key", async () => {
    expect(await outcomeOf(db.pool, charge({ outcomeKey: "invoice-7" }), ...capture())).toBe("committed");
    const other = await driveTo(db.pool, "settling");
    const again = charge({ jobId: other, verdictId: await verdictOf(other), outcomeKey: "invoice-7" });
    expect(await outcomeOf(db.pool, again, ...capture(other))).toBe("charge_outcome_key");
  });

  test("a second job for the same outcome key, so that there is nothing to charge twice", async () => {
    await driveTo(db.pool, "queued", { outcomeKey: "invoice-8" });
    await expect(driveTo(db.pool, "queued", { outcomeKey: "invoice-8" })).rejects.toThrow("has been bought before");
    const renamed = `UPDATE job SET outcome_key = 'invoice-8' WHERE id = '${jobId}'`;
    expect(await outcomeOf(db.pool, renamed)).toBe("job_outcome_key");
  });

  test.each([
    ["known", 0],
    ["presumed", 400],
    ["held", 400],
  ])("a %s cost above the job's cap, by a single nano", async (kind, spentBefore) => {
    const spend = (more: number): string =>
      `UPDATE job SET cost_${kind}_nanos = cost_cap_nanos - ${spentBefore} + ${more} WHERE id = '${jobId}'`;
    expect(await outcomeOf(db.pool, spend(0))).toBe("committed");
    expect(await outcomeOf(db.pool, spend(1))).toBe("job_cost_cap");
  });
});

describe("a settlement", () => {
  test("of a verified outcome charges its price once and ends the hold", async () => {
    const job = await take(db.pool, jobId, happens("settled"));
    expect(job).toMatchObject({ state: "closed", resolution: "success" });
    const rows = await written(db.pool, jobId);
    expect(rows["charge"]).toEqual([
      expect.objectContaining({ amount_nanos: 500, verdict_id: verdictId, customer_id: CUSTOMER }),
    ]);
    expect(rows["hold"]).toEqual([expect.objectContaining({ state: "captured", amount_nanos: 500 })]);
    expect(rows["job"]).toEqual([expect.objectContaining({ price_nanos: 500 })]);
  });

  test("of a failure gives the hold back and charges nothing", async () => {
    const id = await acceptedJob(db.pool);
    await take(db.pool, id, claim(), answer(), happens("cancel"), happens("settled"));
    const rows = await written(db.pool, id);
    expect(rows["charge"]).toBeNull();
    expect(rows["hold"]).toEqual([expect.objectContaining({ state: "voided" })]);
    expect(rows["job"]).toEqual([expect.objectContaining({ price_nanos: 0, resolution: "failure" })]);
  });

  test("of a partial outcome that is given away gives the hold back, too", async () => {
    const id = await acceptedJob(db.pool, {
      terms: { price: { shape: "binary", amount: (await loadedJob(db.pool, jobId)).hold.amount } },
    });
    await take(db.pool, id, claim(), answer(), judge("partial"), happens("woke"), happens("settled"));
    const rows = await written(db.pool, id);
    expect(rows["job"]).toEqual([expect.objectContaining({ resolution: "partial", price_nanos: 0 })]);
    expect(rows["charge"]).toBeNull();
    expect(rows["hold"]).toEqual([expect.objectContaining({ state: "voided" })]);
  });

  test("that our code decides wrongly is refused by the database, and nothing of it happens", async () => {
    const id = await acceptedJob(db.pool);
    await take(db.pool, id, claim(), answer(), judge("fail"), happens("cancel"));
    const loaded = await loadedJob(db.pool, id);
    const failing = {
      attemptId: newId("att"),
      verdictId: (await verdictOf(id)) as `vrd_${string}`,
      decision: "pass",
      score: 1,
      value: null,
    } as const;
    const wrong = {
      ...loaded,
      job: { ...loaded.job, resolution: "success", progress: { ...loaded.job.progress, best: failing } },
    } as const;
    const settled = await transitionBy(db.pool, id, happens("settled"));
    const before = await counted(db.pool, id);
    const commit = openCommit(db.pool, PLAIN)({ ...settled, ...settlementEntries(wrong) });
    await expect(commit).rejects.toMatchObject({ constraint: "charge_verdict_id_job_id_verdict_billable_fkey" });
    expect(await counted(db.pool, id)).toEqual(before);
  });
});
