/** An operator looks at an answer, billed or not, and says whether it is right. */
import type { JobId, KeyId, VerdictId } from "@contingent/core/ids";
import type { Decision } from "@contingent/core/verdict";
import { judgedVerdict } from "@contingent/db/evidence";
import type { Queryable } from "@contingent/db/pool";

export interface OperatorLabel {
  readonly jobId: JobId;
  readonly correct: boolean;
  readonly reason: string;
  readonly givenBy: KeyId;
}

export interface LabelledVerdict {
  readonly verdictId: VerdictId;
  readonly decision: Decision;
  readonly score: number;
  /** It was not said before in just this way. */
  readonly isNew: boolean;
}

const WRITE = `
  INSERT INTO operator_label (verdict_id, correct, reason, given_by) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`;

/** Labels the verdict that a job was charged by, else the one in hand or the latest; null when none of its answers was judged. */
export async function labelAsOperator(db: Queryable, label: OperatorLabel): Promise<LabelledVerdict | null> {
  const { jobId, correct, reason, givenBy } = label;
  const verdict = await judgedVerdict(db, jobId);
  if (verdict === null) return null;
  const { id: verdictId, decision, score } = verdict;
  const { rowCount } = await db.query({ text: WRITE, values: [verdictId, correct, reason, givenBy] });
  return { verdictId, decision, score, isNew: rowCount === 1 };
}
