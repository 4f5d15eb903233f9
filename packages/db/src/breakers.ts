/** Circuit breakers as they are stored: counted into, read, and changed by their number. A handful of rows, found by keys. */
import {
  type Breaker,
  type BreakerState,
  type Change,
  LONG_WINDOW_MS,
  SHORT_WINDOW_MS,
  type Tallies,
  type Tally,
} from "@contingent/core/breaker/breaker";
import type { KeyId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { msOf } from "./job-row.ts";
import type { Queryable } from "./pool.ts";

export interface ModelKey {
  readonly provider: string;
  /** The exact id the provider bills by. */
  readonly model: string;
}

/** What a process has seen of a model's calls since it last told the others. */
export interface Counted extends ModelKey, Tally {
  /** Of the breaker that let them through. */
  readonly revision: number;
}

export interface BreakerRow extends ModelKey, Breaker, Tallies {
  readonly because: string;
  /** The operator's key; null: it decides by itself. */
  readonly forcedBy: KeyId | null;
}

export interface Exchanged {
  readonly breakers: readonly BreakerRow[];
  /** The database's clock, ms since the epoch. */
  readonly nowMs: number;
}

const SLOTS = 64;
const [SHORT_S, LONG_S] = [SHORT_WINDOW_MS / 1_000, LONG_WINDOW_MS / 1_000];
const COLUMNS = `
  b.provider, b.model, b.state, b.revision, b.openings, b.because, b.forced_by,
  ${msOf("b.since")} AS since_ms, ${msOf("b.probe_at")} AS probe_at_ms`;
const FIGURES = ["calls", "failures", "spent_nanos", "burnt_nanos"];
const SUMS = FIGURES.flatMap((name) => [
  `coalesce(sum(${name}) FILTER (WHERE second > clock.second - ${SHORT_S}), 0)::bigint AS short_${name}`,
  `coalesce(sum(${name}), 0)::bigint AS long_${name}`,
]).join(", ");

/**
 * Adds to the ring and answers with every breaker and its sums, what is being added included: a statement does not see what
 * it writes. Locks the present second's slot of each model that was called, in the order of their keys.
 */
const EXCHANGE = `
  WITH clock AS MATERIALIZED (SELECT floor(extract(epoch FROM now()))::bigint AS second),
  given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset($1::jsonb)
      AS g (provider text, model text, revision int, calls int, failures int, spent_nanos bigint, burnt_nanos bigint)),
  known AS (
    INSERT INTO breaker (provider, model) SELECT provider, model FROM given ORDER BY provider, model
    ON CONFLICT DO NOTHING RETURNING *),
  counted AS (
    INSERT INTO breaker_tally AS t (provider, model, slot, second, revision, calls, failures, spent_nanos, burnt_nanos)
    SELECT provider, model, clock.second % ${SLOTS}, clock.second, revision, calls, failures, spent_nanos, burnt_nanos
      FROM given, clock ORDER BY provider, model
    ON CONFLICT (provider, model, slot) DO UPDATE SET
      second = excluded.second, revision = excluded.revision,
      ${FIGURES.map((name) => `${name} = excluded.${name} + CASE WHEN (t.second, t.revision) = (excluded.second, excluded.revision) THEN t.${name} ELSE 0 END`).join(", ")}
    WHERE (excluded.revision, excluded.second) >= (t.revision, t.second))
  SELECT ${COLUMNS}, ${msOf("now()")} AS now_ms, sums.*
    FROM clock LEFT JOIN (SELECT * FROM breaker UNION ALL SELECT * FROM known) b ON true
    LEFT JOIN LATERAL (
      SELECT ${SUMS}
        FROM (SELECT second, ${FIGURES.join(", ")} FROM breaker_tally
               WHERE provider = b.provider AND model = b.model AND revision = b.revision AND second > clock.second - ${LONG_S}
              UNION ALL
              SELECT clock.second, ${FIGURES.join(", ")} FROM given
               WHERE provider = b.provider AND model = b.model AND revision = b.revision) each) sums ON true
   ORDER BY b.provider, b.model`;

interface StoredRow {
  /** Null where there is no breaker yet: then the row only tells the time. */
  readonly provider: string | null;
  readonly model: string;
  readonly state: BreakerState;
  readonly revision: number;
  readonly openings: number;
  readonly because: string;
  readonly forced_by: KeyId | null;
  readonly since_ms: number;
  readonly probe_at_ms: number | null;
}

interface ExchangedRow extends StoredRow, Record<`${"short" | "long"}_${string}`, bigint> {
  readonly now_ms: number;
}

/** Tells the others what came of this process's calls, and reads what all of them know. At most one entry for each model. */
export async function exchangeTallies(db: Queryable, counted: readonly Counted[]): Promise<Exchanged> {
  const given = counted.map(({ spent, burnt, ...rest }) => ({
    ...rest,
    spent_nanos: spent.toString(),
    burnt_nanos: burnt.toString(),
  }));
  const { rows } = await db.query<ExchangedRow>({
    name: "breaker-exchange",
    text: EXCHANGE,
    values: [JSON.stringify(given)],
  });
  const breakers = rows.flatMap((row) => {
    const { provider } = row;
    return provider === null
      ? []
      : [{ ...storedOf(row, provider), short: tallyOf(row, "short"), long: tallyOf(row, "long") }];
  });
  return { breakers, nowMs: rows[0]?.now_ms ?? 0 };
}

/** `since` is the moment at which it last became closed, or ceased to be. */
const CHANGE = `
  UPDATE breaker b
     SET state = $4, openings = $5, probe_at = clock_timestamp() + $6::float8 * interval '1 millisecond', because = $7,
         revision = revision + 1,
         since = CASE WHEN (state = 'closed') = ($4 = 'closed') THEN since ELSE clock_timestamp() END
   WHERE provider = $1 AND model = $2 AND revision = $3 AND forced_by IS NULL
     AND ($4 <> 'half_open' OR probe_at <= clock_timestamp())
  RETURNING ${COLUMNS}`;

/**
 * Changes a breaker that still has the number that was decided upon, and is not forced; takes a probe only when one is due
 * by the database's clock.
 * @returns the breaker as it stands then; null: somebody was faster, or it is not time
 */
export async function changeBreaker(
  db: Queryable,
  key: ModelKey,
  revision: number,
  { state, openings, probeInMs, because }: Change,
): Promise<StoredBreaker | null> {
  const { rows } = await db.query<StoredRow>({
    name: "breaker-change",
    text: CHANGE,
    values: [key.provider, key.model, revision, state, openings, probeInMs, because],
  });
  return rows[0] === undefined ? null : storedOf(rows[0], key.provider);
}

/** The same word twice is one; two operators at once: the later one's stands. */
const FORCE = `
  INSERT INTO breaker AS b (provider, model, state, forced_by, because) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (provider, model) DO UPDATE
     SET state = excluded.state, forced_by = excluded.forced_by, because = excluded.because, openings = 0, probe_at = NULL,
         since = clock_timestamp(), revision = b.revision + 1
   WHERE b.forced_by IS NULL OR (b.state, b.because) <> (excluded.state, excluded.because)`;

const LET_GO = `
  UPDATE breaker
     SET state = 'closed', forced_by = NULL, because = $3, openings = 0, probe_at = NULL, since = clock_timestamp(),
         revision = revision + 1
   WHERE provider = $1 AND model = $2 AND forced_by IS NOT NULL`;

/** Makes a breaker stay open or closed, or decide by itself again. Safe to repeat. */
export async function forceBreaker(
  db: Queryable,
  { provider, model }: ModelKey,
  {
    state,
    by,
    reason,
  }: { readonly state: "open" | "closed" | "automatic"; readonly by: KeyId; readonly reason: string },
): Promise<void> {
  if (state === "automatic") await db.query({ text: LET_GO, values: [provider, model, reason] });
  else await db.query({ text: FORCE, values: [provider, model, state, by, reason] });
}

export type StoredBreaker = Omit<BreakerRow, keyof Tallies>;

function storedOf(row: StoredRow, provider: string): StoredBreaker {
  const { model, state, revision, openings, because, forced_by: forcedBy, since_ms: sinceMs } = row;
  const breaker = { state, forced: forcedBy !== null, revision, sinceMs, openings, probeAtMs: row.probe_at_ms };
  return { provider, model, ...breaker, because, forcedBy };
}

function tallyOf(row: ExchangedRow, window: keyof Tallies): Tally {
  const figure = (name: string): bigint => row[`${window}_${name}`] ?? 0n;
  return {
    calls: Number(figure("calls")),
    failures: Number(figure("failures")),
    spent: nanos(figure("spent_nanos")),
    burnt: nanos(figure("burnt_nanos")),
  };
}
