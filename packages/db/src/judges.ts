/**
 * Models that judge: what they let through, and whether they are suspended. Written and read by keys and by the index of a
 * judge's canaries, of which only the last ones are counted.
 */
import type { JudgeId, KeyId } from "@contingent/core/ids";
import { CANARIES_MAX, type CanaryCounts, letsTooMuchThrough } from "@contingent/core/quality/canaries";
import { msOf } from "./job-row.ts";
import type { Queryable } from "./pool.ts";

/** What makes a judge: the model, the validator as `name@version`, and the outcome type that it judges for. */
export interface JudgeKey {
  readonly outcomeType: string;
  readonly model: string;
  readonly validator: string;
}

export interface JudgeView extends JudgeKey, CanaryCounts {
  readonly id: JudgeId;
  /** The share that it may let through, as the version of its last known-bad answer has it. */
  readonly shareMax: number;
  readonly lastCanaryAtMs: number;
  /** What was decided of it last; null: nothing yet, so that it judges. */
  readonly last: {
    readonly event: "suspended" | "reinstated";
    readonly atMs: number;
    readonly reason: string;
    /** Null: it was suspended for what it let through. */
    readonly by: KeyId | null;
  } | null;
}

const STANDING = `
  SELECT g.id, g.outcome_type, g.model, g.validator, c.asked, c.passed, c.share_max, c.until,
         ${msOf("c.last_at")} AS last_canary_ms, s.event, s.turn, s.reason, s.by, ${msOf("s.at")} AS event_ms
    FROM judge g
    LEFT JOIN LATERAL (SELECT * FROM judge_suspension WHERE judge_id = g.id ORDER BY turn DESC LIMIT 1) s ON true
    CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE counts)::int AS asked, count(*) FILTER (WHERE counts AND passed)::int AS passed,
             (array_agg(share_max ORDER BY number DESC))[1] AS share_max, max(number) AS until, max(at) AS last_at
        FROM (
          SELECT *, number > coalesce((
                   SELECT max(canaries_until) FROM judge_suspension WHERE judge_id = g.id AND event = 'reinstated'), 0) AS counts
            FROM judge_canary WHERE judge_id = g.id ORDER BY number DESC LIMIT ${CANARIES_MAX}) last_ones) c`;

interface StandingRow {
  readonly id: JudgeId;
  readonly outcome_type: string;
  readonly model: string;
  readonly validator: string;
  readonly asked: number;
  readonly passed: number;
  readonly share_max: number;
  readonly until: bigint;
  readonly last_canary_ms: number;
  readonly event: "suspended" | "reinstated" | null;
  readonly turn: number | null;
  readonly reason: string | null;
  readonly by: KeyId | null;
  readonly event_ms: number | null;
}

/** The next turn, whose number says what it is; written by whoever is first. */
const TURN = `
  INSERT INTO judge_suspension (judge_id, turn, event, by, reason, canaries_until) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT DO NOTHING`;

/**
 * Whether the judge may not judge. Suspends it where its last canaries are too many to have passed by chance: looked at
 * before every judgement, so that no process that dies in between leaves a bad judge at work.
 */
export async function isSuspended(db: Queryable, judge: JudgeKey): Promise<boolean> {
  const { rows } = await db.query<StandingRow>({
    name: "judge-standing",
    text: `${STANDING} WHERE g.id = judge_id($1, $2, $3)`,
    values: [judge.outcomeType, judge.model, judge.validator],
  });
  const [row] = rows;
  if (row === undefined) return false;
  if (row.event === "suspended") return true;
  if (!letsTooMuchThrough(row, row.share_max)) return false;
  const reason = `It let ${row.passed} of ${row.asked} known-bad answers through; the outcome type allows ${row.share_max * 100} %.`;
  await db.query({ text: TURN, values: [row.id, (row.turn ?? 0) + 1, "suspended", null, reason, row.until] });
  return true;
}

/** The models that may not judge for an outcome type by this validator. */
export async function suspendedJudges(
  db: Queryable,
  outcomeType: string,
  validator: string,
): Promise<readonly string[]> {
  const { rows } = await db.query<StandingRow>({
    text: `${STANDING} WHERE g.outcome_type = $1 AND g.validator = $2 AND s.event = 'suspended'`,
    values: [outcomeType, validator],
  });
  return rows.map(({ model }) => model);
}

/** Judges by their ids, those after the given one. */
export async function listJudges(
  db: Queryable,
  {
    outcomeType,
    after,
    limit,
  }: { readonly outcomeType: string | undefined; readonly after: JudgeId | null; readonly limit: number },
): Promise<readonly JudgeView[]> {
  const { rows } = await db.query<StandingRow>({
    text: `${STANDING} WHERE ($1::text IS NULL OR g.outcome_type = $1) AND ($2::text IS NULL OR g.id > $2) ORDER BY g.id LIMIT $3`,
    values: [outcomeType ?? null, after, limit],
  });
  return rows.map(viewOf);
}

/** The judge of this id, or null. */
export async function findJudge(db: Queryable, id: JudgeId): Promise<JudgeView | null> {
  const row = await rowOf(db, id);
  return row === null ? null : viewOf(row);
}

/**
 * Lets a suspended judge judge again, with a clean record. Safe to repeat.
 * @returns the judge as it stands then; `not_suspended` when there is nothing to reinstate; null when there is no such judge
 */
export async function reinstateJudge(
  db: Queryable,
  id: JudgeId,
  { by, reason }: { readonly by: KeyId; readonly reason: string },
): Promise<JudgeView | "not_suspended" | null> {
  const row = await rowOf(db, id);
  if (row === null) return null;
  if (row.event === "reinstated" && row.reason === reason) return viewOf(row);
  if (row.event !== "suspended") return "not_suspended";
  await db.query({ text: TURN, values: [id, (row.turn ?? 0) + 1, "reinstated", by, reason, row.until] });
  return findJudge(db, id);
}

async function rowOf(db: Queryable, id: JudgeId): Promise<StandingRow | null> {
  const { rows } = await db.query<StandingRow>({ text: `${STANDING} WHERE g.id = $1`, values: [id] });
  return rows[0] ?? null;
}

function viewOf(row: StandingRow): JudgeView {
  const { id, model, validator, asked, passed, event, reason, by, event_ms: atMs } = row;
  return {
    id,
    outcomeType: row.outcome_type,
    model,
    validator,
    asked,
    passed,
    shareMax: row.share_max,
    lastCanaryAtMs: row.last_canary_ms,
    last: event === null || reason === null || atMs === null ? null : { event, atMs, reason, by },
  };
}
