/**
 * One transition, one statement, one fence.
 *
 * The statement locks the job's row only where its revision is still the one that was decided upon, and writes the job, its
 * event, the attempt, the inquiry, the verdict, the customer's decision, the end of the hold, the charge and the ledger's transactions
 * only for rows that it locked. Who lost the race has written nothing. Many transitions share a statement (see batch.ts); a single statement is
 * a transaction of its own, so all of one transition is there or none of it.
 *
 * Locks: the rows of `job` whose fence holds, in the order of their ids, so that two batches cannot wait for each other;
 * what belongs to a job is written under that lock. Then the accounts of customers whose holds end, in the order of theirs:
 * under that lock the charge gets its date, so that it cannot fall into a period that is being closed. Index: the primary keys. Cost columns change by differences, because
 * a late answer may add to them between load and commit.
 */
import {
  attemptCost,
  type Hold,
  inquiryCost,
  type Slice,
  type Transaction,
  verdictCost,
} from "@contingent/core/books/books";
import type { JobId, VerdictId } from "@contingent/core/ids";
import type { Effect, JobEvent } from "@contingent/core/job/facts";
import type { Job } from "@contingent/core/job/job";
import type { JsonObject } from "@contingent/core/json";
import { type Currency, type Nanos, ZERO } from "@contingent/core/money";
import { type AcceptanceDecision, decisionRow } from "./acceptance-decisions.ts";
import { batched } from "./batch.ts";
import { newId } from "./ids.ts";
import { HEARD_OF_MOVED, heardRow, INQUIRED_OF_MOVED, inquiredRow, type InquiryReply } from "./inquiries.ts";
import { storedProgress } from "./job-row.ts";
import type { Payloads, Sealer } from "./payloads/payloads.ts";
import { sealersOfJobs } from "./payloads/sealers.ts";
import type { Pool } from "./pool.ts";
import { storableJsonText } from "./storable.ts";
import { type StoredVerdict, VERDICT_OF_MOVED, verdictRow } from "./stored-verdict.ts";

/** What the provider said, to be kept with its attempt. */
export interface AttemptAnswer {
  /** Null when there is none, or none that may be used. */
  readonly text: string | null;
  readonly responseId: string | null;
  /** The provider's own usage report, unchanged. */
  readonly usage: JsonObject | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** Why there is no answer, for the operator. Never the prompt, never a key. */
  readonly error: string | null;
}

/** How the hold ends, in the transition that closes the job. */
export interface Settled {
  readonly hold: Hold;
  readonly outcomeType: string;
  readonly outcomeKey: string | null;
  /** Null: the hold is voided and nothing is charged. */
  readonly charge: { readonly price: Nanos; readonly verdictId: VerdictId } | null;
  /** How long the charge may be disputed; its revenue is earned afterwards. */
  readonly disputeWindowMs: number;
  /** What goes back to the grants that the hold came from. */
  readonly returned: readonly Slice[];
}

export interface Transition {
  readonly before: Job;
  readonly next: Job;
  readonly event: JobEvent;
  readonly effects: readonly Effect[];
  readonly currency: Currency;
  /** Span of the attempt that starts with this transition. */
  readonly attemptTraceparent?: string | undefined;
  /** The process that makes the attempt, or waits for the reply to the inquiry, that starts with this transition (holders.ts). */
  readonly holder?: string | undefined;
  readonly answer?: AttemptAnswer | undefined;
  readonly verdict?: StoredVerdict | undefined;
  /** What came of the inquiry that ends with this transition. */
  readonly reply?: InquiryReply | undefined;
  readonly settled?: Settled | undefined;
  /** What the customer said, in the transition that it caused. */
  readonly decided?: AcceptanceDecision | undefined;
  readonly transactions?: readonly Transaction[] | undefined;
}

/** Commits a transition; false when the job has moved on and nothing was written. */
export type Commit = (transition: Transition) => Promise<boolean>;

/**
 * The statement. What only services do is in theirs only: to begin attempts and inquiries, to reach verdicts, to end holds
 * and charge. A customer's own move does none of it, and has no right to.
 */
function commitStatement(by: "services" | "customers"): string {
  const byServices = (part: string): string => (by === "services" ? part : "");
  return `
WITH input AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS t (
    id text, revision int, state text, resolution text, reason text, attempts int, progress jsonb,
    known bigint, presumed bigint, held bigint, overrun bigint, price bigint, ready_ms float8, wake_ms float8,
    deadline_ms float8, event text, data jsonb, started jsonb, ended jsonb, inquired jsonb, heard jsonb, verdict jsonb,
    settled jsonb, decided jsonb, transactions jsonb)
), fenced AS MATERIALIZED (
  SELECT i.*, j.customer_id FROM input i JOIN job j ON j.id = i.id AND j.revision = i.revision - 1
   WHERE j.id = ANY (ARRAY(SELECT id FROM input)) ORDER BY j.id FOR NO KEY UPDATE OF j
), accounts AS MATERIALIZED (
  SELECT a.customer_id, a.closed_until, a.limit_period,
         date_trunc('milliseconds', greatest(clock_timestamp() + a.clock_offset, a.closed_until)) AS at
    FROM customer_account a WHERE a.customer_id = ANY (ARRAY(SELECT customer_id FROM fenced WHERE settled IS NOT NULL))
   ORDER BY a.customer_id FOR NO KEY UPDATE OF a
), moved AS (
  UPDATE job j
     SET revision = i.revision, state = i.state, resolution = i.resolution, reason = i.reason,
         attempts = i.attempts, progress = i.progress,
         cost_known_nanos = cost_known_nanos + i.known, cost_presumed_nanos = cost_presumed_nanos + i.presumed,
         cost_held_nanos = cost_held_nanos + i.held, cost_overrun_nanos = cost_overrun_nanos + i.overrun,
         price_nanos = coalesce(i.price, price_nanos),
         ready_at = to_timestamp(i.ready_ms / 1000), wake_at = to_timestamp(i.wake_ms / 1000), wakes = 0,
         deadline_at = coalesce(to_timestamp(i.deadline_ms / 1000), deadline_at),
         closed_at = CASE WHEN i.state = 'closed' THEN a.at END
    FROM fenced i LEFT JOIN accounts a ON i.settled IS NOT NULL AND a.customer_id = i.customer_id
   WHERE j.id = i.id AND j.id = ANY (ARRAY(SELECT id FROM fenced))
  RETURNING i.*, a.at
), event AS (
  INSERT INTO job_event (job_id, revision, type, data)
  SELECT id, revision, event, data FROM moved
)${byServices(`, started AS (
  INSERT INTO attempt (id, job_id, number, tier, provider, model, output_tokens_max, reserve_nanos, cost_state, traceparent, holder)
  SELECT s.id, m.id, s.number, s.tier, s.provider, s.model, s.output_tokens_max, s.reserve, 'held', s.traceparent, s.holder
    FROM moved m, jsonb_to_record(m.started) AS s (
      id text, number int, tier text, provider text, model text, output_tokens_max int, reserve bigint, traceparent text,
      holder text)
   WHERE m.started IS NOT NULL
), inquired AS (
  ${INQUIRED_OF_MOVED}
), verdict AS (
  ${VERDICT_OF_MOVED}
)`)}, ended AS (
  UPDATE attempt a
     SET cost_state = e.cost_state, cost_nanos = e.cost, outcome = e.outcome, response_id = e.response_id,
         usage = e.usage, input_tokens = e.input_tokens, output_tokens = e.output_tokens, output = e.output,
         error = e.error, ended_at = clock_timestamp()
    FROM moved m, jsonb_to_record(m.ended) AS e (
      id text, cost_state text, cost bigint, outcome text, response_id text, usage jsonb, input_tokens int,
      output_tokens int, output text, error text)
   WHERE m.ended IS NOT NULL AND a.id = e.id AND a.job_id = m.id
  RETURNING a.id
), heard AS (
  ${HEARD_OF_MOVED}
), decided AS (
  INSERT INTO acceptance_decision (job_id, revision, decision, reason, decided_by, verdict_id)
  SELECT m.id, m.revision, d.decision, d.reason, d.decided_by, d.verdict_id
    FROM moved m, jsonb_to_record(m.decided) AS d (decision text, reason text, decided_by text, verdict_id text)
   WHERE m.decided IS NOT NULL
)${byServices(`, released AS (
  UPDATE hold h SET state = s.hold_state, ended_at = clock_timestamp()
    FROM moved m, jsonb_to_record(m.settled) AS s (hold_state text)
   WHERE m.settled IS NOT NULL AND h.job_id = m.id
  RETURNING h.job_id
), returned AS (
  UPDATE credit_grant g SET available_nanos = available_nanos + r.total
    FROM (SELECT s.line ->> 0 AS grant_id, sum((s.line ->> 1)::bigint)::bigint AS total
            FROM moved m, jsonb_array_elements(m.settled -> 'returned') AS s (line) GROUP BY 1) r
   WHERE g.id = r.grant_id AND g.id = ANY (ARRAY(SELECT s.line ->> 0 FROM moved m, jsonb_array_elements(m.settled -> 'returned') AS s (line)))
), counted AS (
  UPDATE customer_account a
     SET held_nanos = held_nanos - s.held,
         spent_nanos = s.spent + CASE WHEN spent_from >= s.period THEN spent_nanos ELSE 0 END,
         spent_from = greatest(spent_from, s.period), updated_at = now()
    FROM (SELECT m.customer_id, sum((m.settled ->> 'held')::bigint)::bigint AS held, sum(m.price)::bigint AS spent,
                 max(period_start(coalesce(c.limit_period, 'month'), m.at)) AS period
            FROM moved m JOIN accounts c USING (customer_id) WHERE m.settled IS NOT NULL GROUP BY m.customer_id) s
   WHERE a.customer_id = s.customer_id AND a.customer_id = ANY (ARRAY(SELECT customer_id FROM accounts))
), charged AS (
  INSERT INTO charge (job_id, customer_id, outcome_type, outcome_key, verdict_id, amount_nanos, currency, billing, at)
  SELECT m.id, m.customer_id, s.outcome_type, s.outcome_key, s.verdict_id, m.price, s.currency, s.billing, m.at
    FROM moved m, jsonb_to_record(m.settled) AS s (
      outcome_type text, outcome_key text, verdict_id text, currency text, billing text)
   WHERE s.verdict_id IS NOT NULL
), waiting AS (
  INSERT INTO unearned (job_id, customer_id, amount_nanos, due_at)
  SELECT m.id, m.customer_id, m.price, m.at + s.dispute_window_ms * interval '1 millisecond'
    FROM moved m, jsonb_to_record(m.settled) AS s (verdict_id text, dispute_window_ms float8)
   WHERE s.verdict_id IS NOT NULL
)`)}, booked AS (
  SELECT book(coalesce(jsonb_agg(t.entry || jsonb_build_object('dated_at', m.at)), '[]')) AS number
    FROM moved m, jsonb_array_elements(m.transactions) AS t (entry)
)
SELECT id, revision FROM moved
 WHERE must_hold((SELECT count(*) FROM ended) = (SELECT count(ended) FROM moved), 'every attempt that ends is one of the job')
   AND must_hold((SELECT count(*) FROM heard) = (SELECT count(heard) FROM moved), 'every inquiry that ends is one of the job')
   AND ${
     by === "services"
       ? "must_hold((SELECT count(*) FROM released) = (SELECT count(settled) FROM moved), 'every job that ends has a hold')"
       : "must_hold((SELECT count(started) + count(inquired) + count(verdict) + count(settled) FROM moved) = 0, 'nothing begins or ends here')"
   }
   AND must_hold((SELECT number FROM booked) = (SELECT coalesce(sum(jsonb_array_length(transactions)), 0) FROM moved),
                 'every transaction is in the books')`;
}
// That an attempt or a hold is still open is the tables' own business (triggers `ends_once`). As conditions here they let
// the planner believe that hardly any row fulfils them, and begin with those: by reading all. `= ANY (ARRAY(…))`
// beside a join says nothing new, and keeps it from beginning with all of a table that it believes to be small.

/** Any transition: what services commit. */
const COMMIT = { name: "commit", text: commitStatement("services") } as const;
/** What a customer decides on a job of theirs: it is canceled, accepted or rejected. */
export const CUSTOMERS_MOVE = { name: "commit-customers-move", text: commitStatement("customers") } as const;

/** A transition on its way into a statement. */
interface Waiting {
  /** Job and revision: what two transitions race for. */
  readonly fence: string;
  readonly row: string;
}

/**
 * Commits transitions, many to a statement. Rejects when the database refuses one: a broken cap, a second charge, the end
 * of an attempt that is not under way.
 */
export function openCommit(
  pool: Pool,
  payloads: Payloads,
  statement: typeof COMMIT | typeof CUSTOMERS_MOVE = COMMIT,
): Commit {
  const sealerOf = sealersOfJobs(pool, payloads);
  const commit = batched<Waiting, boolean>({
    run: async (waiting) => {
      // Two transitions of one batch that race for the same revision: the first wins, as it would in two statements.
      const first = new Map(waiting.toReversed().map((w) => [w.fence, w]));
      const rows = `[${Array.from(first.values(), (w) => w.row).join()}]`;
      const moved = await pool.query<{ id: JobId; revision: number }>({ ...statement, values: [rows] });
      const won = new Set(moved.rows.map(fenceOf));
      return waiting.map((w) => first.get(w.fence) === w && won.has(w.fence));
    },
  });
  // Each transition is written out before it joins a batch, so that one that cannot be written fails alone.
  return async (transition) => {
    const row = rowOf(transition, await sealerOf(transition.next.id));
    return await commit({ fence: fenceOf(transition.next), row: storableJsonText(row) });
  };
}

function fenceOf({ id, revision }: { readonly id: JobId; readonly revision: number }): string {
  return `${id} ${revision}`;
}

function rowOf(transition: Transition, sealer: Sealer): JsonObject {
  const { before, next, event, settled } = transition;
  return {
    id: next.id,
    revision: next.revision,
    state: next.state,
    resolution: next.resolution,
    reason: next.reason,
    attempts: next.attempts,
    progress: toJson(storedProgress(next.progress)),
    known: difference(next.cost.known, before.cost.known),
    presumed: difference(next.cost.presumed, before.cost.presumed),
    held: difference(next.cost.held, before.cost.held),
    overrun: difference(next.cost.overrun, before.cost.overrun),
    price: settled === undefined ? null : (settled.charge?.price ?? ZERO).toString(),
    ready_ms: next.readyAtMs,
    wake_ms: next.wakeAtMs,
    // Only a rework changes it. Else it stays to the last digit as it is.
    deadline_ms: next.deadlineAtMs === before.deadlineAtMs ? null : next.deadlineAtMs,
    event: event.type,
    data: event.data,
    started: startedRow(transition),
    ended: endedRow(transition, sealer),
    inquired: inquiredRow(transition.effects, transition.holder),
    heard: heardRow(transition.effects, transition.reply, sealer),
    verdict: verdictRow(transition.verdict, before.progress.step, transition.effects, sealer),
    settled: settledRow(transition),
    decided: decisionRow(transition.decided),
    transactions: transactionsOf(transition).map((t) => transactionRow(t, transition.currency)),
  };
}

function startedRow(transition: Transition): JsonObject | null {
  const effect = transition.effects.find((e) => e.type === "start_attempt");
  if (effect === undefined) return null;
  return {
    id: effect.attemptId,
    number: effect.number,
    tier: effect.tier,
    provider: effect.provider,
    model: effect.model,
    output_tokens_max: effect.outputTokensMax,
    reserve: effect.reserve.toString(),
    traceparent: transition.attemptTraceparent ?? null,
    holder: transition.holder ?? null,
  };
}

function endedRow(transition: Transition, sealer: Sealer): JsonObject | null {
  const effect = transition.effects.find((e) => e.type === "end_attempt");
  if (effect === undefined) return null;
  const { answer } = transition;
  const { attemptId: id } = effect;
  return {
    id,
    cost_state: effect.costState,
    cost: effect.cost.toString(),
    outcome: effect.outcome,
    response_id: answer?.responseId ?? null,
    usage: answer?.usage ?? null,
    input_tokens: answer?.inputTokens ?? null,
    output_tokens: answer?.outputTokens ?? null,
    output: answer === undefined || answer.text === null ? null : sealer.text(`output ${id}`, answer.text),
    error: answer === undefined || answer.error === null ? null : sealer.text(`error ${id}`, answer.error),
  };
}

function settledRow({ settled, currency }: Transition): JsonObject | null {
  if (settled === undefined) return null;
  return {
    hold_state: settled.charge === null ? "voided" : "captured",
    held: settled.hold.amount.toString(),
    billing: settled.hold.slices === null ? "on_account" : "prepaid",
    returned: settled.returned.map(({ grantId, amount }) => [grantId, amount.toString()]),
    outcome_type: settled.outcomeType,
    outcome_key: settled.outcomeKey,
    verdict_id: settled.charge?.verdictId ?? null,
    dispute_window_ms: settled.disputeWindowMs,
    currency,
  };
}

/** The given transactions, and the costs of the attempt or inquiry that ended and of the verdict that was reached. */
function transactionsOf(transition: Transition): readonly Transaction[] {
  const costs = transition.effects.flatMap((effect) => costOf(transition.next.id, effect) ?? []);
  return [...(transition.transactions ?? []), ...costs];
}

function costOf(jobId: JobId, effect: Effect): Transaction | null {
  switch (effect.type) {
    case "end_attempt": {
      const { attemptId, provider, model, cost } = effect;
      const basis = effect.costState === "known" ? "reported" : "estimated";
      return attemptCost({ jobId, attemptId, provider, model, basis, cost, booked: ZERO });
    }
    case "pay_verdict":
      return verdictCost({ jobId, ...effect });
    case "end_inquiry": {
      const { inquiryId, payee, cost } = effect;
      if (payee === null) return null;
      const basis = effect.costState === "known" ? "reported" : "estimated";
      return inquiryCost({ jobId, inquiryId, ...payee, basis, cost, booked: ZERO });
    }
    case "start_attempt":
    case "open_inquiry":
    case "pause_tier":
      return null;
  }
}

/** A ledger transaction as the SQL function `book` reads it: postings as `[class, of, nanos]`. */
export function transactionRow(transaction: Transaction, currency: Currency): JsonObject {
  return {
    id: newId("txn"),
    kind: transaction.kind,
    key: transaction.key,
    job_id: transaction.jobId,
    customer_id: transaction.customerId,
    currency,
    postings: transaction.postings.map((p) => [p.account.class, p.account.of, p.amount.toString()]),
  };
}

function difference(next: Nanos, before: Nanos): string {
  return (next - before).toString();
}

/** Drops `undefined` and readonly-ness so that the value is plain JSON to the type checker too. */
function toJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
