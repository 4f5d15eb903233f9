/** What was said of the outcomes that a job handed over for acceptance. Written by the transition that it caused. */
import type { JobId, VerdictId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import type { Queryable } from "./pool.ts";

export type AcceptanceDecisionKind = "accept" | "reject";

export interface AcceptanceDecision {
  readonly decision: AcceptanceDecisionKind;
  /** There is always one for a rejection. */
  readonly reason: string | null;
  readonly decidedBy: "customer" | "operator";
  /** The verdict on the outcome that was decided upon. */
  readonly verdictId: VerdictId;
}

interface DecisionRow {
  readonly decision: AcceptanceDecisionKind;
  readonly reason: string | null;
  readonly decided_by: "customer" | "operator";
  readonly verdict_id: VerdictId;
}

/** A job's decisions, the latest one first: as many as it has attempts, at most. By primary key, takes no lock. */
export async function acceptanceDecisions(db: Queryable, id: JobId): Promise<readonly AcceptanceDecision[]> {
  const { rows } = await db.query<DecisionRow>({
    name: "acceptance-decisions",
    text: `SELECT decision, reason, decided_by, verdict_id FROM acceptance_decision
            WHERE job_id = $1 ORDER BY revision DESC`,
    values: [id],
  });
  return rows.map(({ decision, reason, decided_by: decidedBy, verdict_id: verdictId }) => {
    return { decision, reason, decidedBy, verdictId };
  });
}

/** A decision as the statement that commits transitions reads it. */
export function decisionRow(decision: AcceptanceDecision | undefined): JsonObject | null {
  if (decision === undefined) return null;
  const { reason, decidedBy: decided_by, verdictId: verdict_id } = decision;
  return { decision: decision.decision, reason, decided_by, verdict_id };
}
