/** An audit ends: somebody has looked, and says what they found. Once. */
import type { AuditId, KeyId, OutcomeTypeVersionId } from "@contingent/core/ids";
import type { AuditResult } from "@contingent/core/quality/false-bills";
import { type Pool, transaction } from "@contingent/db/pool";
import { type AlertChange, checkFalseBills } from "../quality/alerts.ts";

export interface AuditDecision {
  readonly result: AuditResult;
  readonly reason: string;
  readonly decidedBy: KeyId;
}

export type DecidedAudit =
  | { readonly kind: "decided"; readonly alert: AlertChange | null }
  /** It had been decided in just this way. */
  | { readonly kind: "repeated" }
  | { readonly kind: "decided_otherwise"; readonly result: AuditResult };

const FIND = "SELECT outcome_type_version_id, result, reason FROM audit WHERE id = $1";

/** Held until the commit: results of one version follow each other, so that each alert is told by what all before it found. */
const TAKE_TURNS = "SELECT pg_advisory_xact_lock(hashtextextended('audits of ' || $1, 0))";

const DECIDE = `
  UPDATE audit SET result = $2, reason = $3, decided_by = $4, decided_at = clock_timestamp(),
         credit = CASE WHEN credits AND $2 = 'incorrect' THEN 'due' END
   WHERE id = $1 AND result IS NULL`;

interface AuditRow {
  readonly outcome_type_version_id: OutcomeTypeVersionId;
  readonly result: AuditResult | null;
  readonly reason: string | null;
}

/** Decides an audit; null when there is none by this id. Safe to repeat. Index: the primary key. */
export async function decideAudit(pool: Pool, id: AuditId, decision: AuditDecision): Promise<DecidedAudit | null> {
  const { result, reason, decidedBy } = decision;
  return await transaction(pool, async (client): Promise<DecidedAudit | null> => {
    const find = async (): Promise<AuditRow | undefined> =>
      (await client.query<AuditRow>({ text: FIND, values: [id] })).rows[0];
    const audit = await find();
    if (audit === undefined) return null;
    const versionId = audit.outcome_type_version_id;
    await client.query({ text: TAKE_TURNS, values: [versionId] });
    const { rowCount } = await client.query({ text: DECIDE, values: [id, result, reason, decidedBy] });
    if (rowCount === 1) return { kind: "decided", alert: await checkFalseBills(client, versionId) };
    const before = await find();
    if (before?.result === result && before.reason === reason) return { kind: "repeated" };
    return { kind: "decided_otherwise", result: before?.result ?? "undecided" };
  });
}
