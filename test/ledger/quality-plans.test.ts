/** Hazard: figures of quality, or a round of drawing, that take longer the more outcomes were ever looked at. */
import type { AuditTerms } from "@contingent/core/outcome-type";
import type { Pool } from "@contingent/db/pool";
import { creditAudits } from "@contingent/ledger/audits/credit";
import { drawAudits } from "@contingent/ledger/audits/draw";
import { listAudits } from "@contingent/ledger/audits/views";
import { AUDITS_MAX, OPEN_AUDITS_MAX } from "@contingent/ledger/quality/audited";
import { calibrationOfAlike, LABELS_MAX } from "@contingent/ledger/quality/labels";
import { readQuality } from "@contingent/ledger/quality/quality";
import { drawAll } from "@contingent/testkit/audits";
import { driveTo, OUTCOME_TYPE, partsOf, publishedTerms } from "@contingent/testkit/jobs";
import { beforeAll, describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { rowsTouched, statementsOf } from "./rows-touched.ts";
import { tamper } from "./sealing.ts";

const db = databaseOfThisFile();
const AUDIT: AuditTerms = { rate: 1, method: "human", credit: true, dueMs: 60_000 };
const LABELS = 100_000;
const AUDITS = 40_000;

/** As many as years would bring: of labels every other one is of a partial outcome, of audits every third one is open. */
async function history(pool: Pool): Promise<void> {
  const version = await publishedTerms(pool, {}, { audit: AUDIT });
  await tamper(
    pool,
    `UPDATE outcome_type_version SET definition = '{"validator": {"all": []}, "output_schema": {}}'`,
    `INSERT INTO outcome_label (verdict_id, source, correct, outcome_type, outcome_type_version_id, decision, score)
     SELECT 'vrd_' || n, 'acceptance', random() < 0.7, '${OUTCOME_TYPE}', '${version.id}',
            CASE n % 2 WHEN 0 THEN 'pass' ELSE 'partial' END, random() FROM generate_series(1, ${LABELS}) n`,
    `INSERT INTO charge (job_id, customer_id, outcome_type, verdict_id, amount_nanos, currency, at)
     SELECT 'job_' || lpad(n::text, 8, '0'), 'cus_fixture', '${OUTCOME_TYPE}', 'vrd_' || n, 1, 'USD', now()
       FROM generate_series(1, ${AUDITS}) n`,
    `INSERT INTO audit (id, job_id, verdict_id, outcome_type, outcome_type_version_id, method, draw, rate, credits, due_at,
                        result, reason, decided_by, decided_at)
     SELECT 'aud_' || lpad(n::text, 8, '0'), 'job_' || lpad(n::text, 8, '0'), 'vrd_' || n, '${OUTCOME_TYPE}', '${version.id}',
            'human', 0.5, 1, false, now(), r.result, 'I looked.', 'key_1234', now()
       FROM generate_series(1, ${AUDITS}) n, LATERAL (SELECT CASE WHEN n % 10 = 0 THEN 'incorrect' ELSE 'correct' END AS result) r
      WHERE n % 3 <> 0`,
    `INSERT INTO audit (id, job_id, verdict_id, outcome_type, outcome_type_version_id, method, draw, rate, credits, due_at)
     SELECT 'aud_' || lpad(n::text, 8, '0'), 'job_' || lpad(n::text, 8, '0'), 'vrd_' || n, '${OUTCOME_TYPE}', '${version.id}',
            'human', 0.5, 1, false, now() FROM generate_series(1, ${AUDITS}) n WHERE n % 3 = 0`,
  );
}

/** How many rows some work looks at, of whatever it reads. What it locks or writes is left out. */
async function touchedBy(work: () => Promise<unknown>): Promise<number> {
  let touched = 0;
  for (const { text, values } of await statementsOf(work)) {
    if (/^\s*(SELECT|WITH)/.test(text) && !text.includes("advisory"))
      touched += await rowsTouched(db.pool, text, values);
  }
  return touched;
}

beforeAll(() => history(db.pool));

describe.each(["by statistics from before", "by statistics of what there is"])("%s", (which) => {
  beforeAll(async () => {
    if (which === "by statistics of what there is") await db.pool.query("ANALYZE");
  });

  test("the quality of an outcome type looks at the newest labels and audits", async () => {
    const touched = await touchedBy(() => readQuality(db.pool, OUTCOME_TYPE, 1));
    // Of one version and over all.
    expect(touched).toBeLessThan(2 * (LABELS_MAX + AUDITS_MAX + OPEN_AUDITS_MAX) + 10);
    expect(touched).toBeGreaterThan(2 * LABELS_MAX);
  });

  test("a threshold is looked up among the newest labels", async () => {
    const alike = { outcomeType: OUTCOME_TYPE, validator: { all: [] }, outputSchema: {} };
    const touched = await touchedBy(() => calibrationOfAlike(db.pool, alike));
    expect(touched).toBeLessThan(LABELS_MAX + 10);
  });

  test("a page of audits looks at its own", async () => {
    for (const state of ["open", "done"] as const) {
      for (const outcomeType of [undefined, OUTCOME_TYPE, "other"]) {
        const page = { after: "aud_00020000", limit: 20 } as const;
        expect(await touchedBy(() => listAudits(db.pool, { state, outcomeType }, page))).toBeLessThan(70);
      }
    }
  });

  test("a round of drawing and one of credits look at what is new", async () => {
    const { versions } = partsOf(db.pool);
    await drawAll(db.pool);
    await driveTo(db.pool, "closed", { quality: { audit: AUDIT } });
    const touched = await touchedBy(() => drawAudits(db.pool, versions, 1_000));
    expect(touched).toBeLessThan(30);
    expect(await touchedBy(() => creditAudits(db.pool, 100))).toBe(0);
  });
});
