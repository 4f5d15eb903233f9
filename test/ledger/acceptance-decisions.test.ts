/** Hazard: a decision on record that nobody could have taken: on another's outcome, twice, or without a word. */
import type { JobId } from "@contingent/core/ids";
import { answer, claim, driveTo, judge, take } from "@contingent/testkit/jobs";
import { beforeEach, describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { outcomeOf, type Statement } from "./by-hand.ts";

const db = databaseOfThisFile();

let jobId: JobId;
beforeEach(async () => {
  jobId = await driveTo(db.pool, "awaiting_acceptance");
});

interface Decision {
  readonly job?: JobId;
  readonly decision?: string;
  readonly reason?: string | null;
  readonly revision?: number;
  /** The job whose verdict it is about. */
  readonly verdictOf?: JobId;
}

/** The revision at which a job of the fixture was handed over. */
const DELIVERED = 4;

function decide({
  job = jobId,
  decision = "reject",
  reason = "No.",
  revision = DELIVERED,
  verdictOf = job,
}: Decision): Statement {
  const text = `
    INSERT INTO acceptance_decision (job_id, revision, decision, reason, decided_by, verdict_id)
    SELECT $1, $2, $3, $4, 'customer', id FROM verdict WHERE job_id = $5`;
  return { text, values: [job, revision, decision, reason, verdictOf] };
}

describe("the database refuses", () => {
  test("nothing about a rejection with a reason, or an acceptance without one", async () => {
    expect(await outcomeOf(db.pool, decide({}))).toBe("committed");
    const job = await driveTo(db.pool, "awaiting_acceptance");
    expect(await outcomeOf(db.pool, decide({ job, decision: "accept", reason: null }))).toBe("committed");
  });

  test("a rejection without a reason, with an empty one or an endless one", async () => {
    expect(await outcomeOf(db.pool, decide({ reason: null }))).toBe("rejection_has_reason");
    expect(await outcomeOf(db.pool, decide({ reason: "" }))).toBe("acceptance_decision_reason_check");
    expect(await outcomeOf(db.pool, decide({ reason: "x".repeat(2_001) }))).toBe("acceptance_decision_reason_check");
  });

  test("a second decision on the same outcome, at whatever revision", async () => {
    expect(await outcomeOf(db.pool, decide({}))).toBe("committed");
    const again = decide({ decision: "accept", revision: DELIVERED - 1 });
    expect(await outcomeOf(db.pool, again)).toBe("acceptance_decision_verdict_id_key");
  });

  test("a decision on another job's outcome, or on one that failed", async () => {
    const other = await driveTo(db.pool, "awaiting_acceptance");
    const evidence = "acceptance_decision_verdict_id_job_id_verdict_billable_fkey";
    expect(await outcomeOf(db.pool, decide({ verdictOf: other }))).toBe(evidence);
    const failed = await driveTo(db.pool, "queued");
    await take(db.pool, failed, claim(), answer(), judge("fail"));
    expect(await outcomeOf(db.pool, decide({ job: failed }))).toBe(evidence);
  });

  test("a decision that no transition of the job has made", async () => {
    const none = decide({ revision: DELIVERED + 1 });
    expect(await outcomeOf(db.pool, none)).toBe("acceptance_decision_job_id_revision_fkey");
  });
});
