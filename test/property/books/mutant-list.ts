/** Ways to break the books: one replacement of text each. */
import type { Mutant } from "../../mutation/mutation.ts";

const ACCEPT = "packages/db/src/accept.ts";
const COMMIT = "packages/db/src/commit.ts";
const FUNDING = "packages/core/src/books/funding.ts";
const BOOKS = "packages/core/src/books/books.ts";
const DECIDE = "packages/core/src/job/decide.ts";
const DISPUTES = "packages/core/src/books/disputes.ts";
const CLOSE = "packages/ledger/src/statement/close.ts";

export const MUTANTS: readonly Mutant[] = [
  {
    name: "idempotency: an Idempotency-Key does not stop a second job",
    file: ACCEPT,
    from: "WHERE w.key IS NULL OR c.job_id IS NOT NULL",
    to: "WHERE true",
  },
  {
    name: "idempotency: a transition is committed without its fence",
    file: COMMIT,
    from: "ON j.id = i.id AND j.revision = i.revision - 1",
    to: "ON j.id = i.id",
  },
  {
    name: "idempotency: a top-up's reference is not looked up",
    file: "packages/ledger/src/bring-in.ts",
    from: "if (row !== undefined) {",
    to: "if (row !== undefined && row.amount_nanos < 0n) {",
  },
  {
    name: "balance check: a hold may exceed the prepaid money",
    file: FUNDING,
    from: "if (available < needed) {",
    to: "if (available < 0n) {",
  },
  {
    name: "limit check: a spending limit refuses nothing",
    file: FUNDING,
    from: "if (limit !== null && add(add(held, spent), needed) > limit.amount) {",
    to: "if (limit !== null && needed < 0n) {",
  },
  {
    name: "limit check: open holds do not count",
    file: FUNDING,
    from: "if (limit !== null && add(add(held, spent), needed) > limit.amount) {",
    to: "if (limit !== null && add(spent, needed) > limit.amount) {",
  },
  {
    name: "late capture: a verdict after the deadline is charged",
    file: DECIDE,
    from: '  if (now.nowMs >= job.deadlineAtMs) return stop(tried, "deadline", now);\n  if (fact.decision',
    to: "  if (fact.decision",
  },
  {
    name: "late capture: an outcome is accepted after its window",
    file: DECIDE,
    from: 'job.state === "awaiting_acceptance" && now.nowMs < job.readyAtMs',
    to: 'job.state === "awaiting_acceptance"',
  },
  {
    name: "late capture: silence is taken for consent",
    file: DECIDE,
    from: ': released(job, "lapsed", now);',
    to: ': accepted(job, "accepted_by_silence", now);',
  },
  {
    name: "partial release: only the price is taken off what is held",
    file: COMMIT,
    from: "SET held_nanos = held_nanos - s.held,",
    to: "SET held_nanos = held_nanos - s.spent,",
  },
  {
    name: "partial release: what the price leaves does not come back",
    file: "packages/ledger/src/settle.ts",
    from: "const returned = returnedSlices(hold, charge?.price ?? ZERO);",
    to: "const returned = charge === null ? returnedSlices(hold, ZERO) : [];",
  },
  {
    name: "slice return: the price is paid from the last slice first",
    file: BOOKS,
    from: "return slicesOf(held).flatMap(({ grantId, amount }) => {",
    to: "return slicesOf(held).toReversed().flatMap(({ grantId, amount }) => {",
  },
  {
    name: "slice return: grants get back more than the books say",
    file: COMMIT,
    from: "SET available_nanos = available_nanos + r.total",
    to: "SET available_nanos = least(g.amount_nanos, available_nanos + r.total + 1)",
  },
  {
    name: "over-credit: a credit may exceed what is left of the charge",
    file: DISPUTES,
    from: 'return amount > 0n && amount <= atMost ? { kind: "credited", amount } : { kind: "too_much", atMost };\n}\n\n/**',
    to: 'return amount > 0n ? { kind: "credited", amount } : { kind: "too_much", atMost };\n}\n\n/**',
  },
  {
    name: "over-credit: what was credited before is forgotten",
    file: "packages/ledger/src/disputes/charge-lock.ts",
    from: "credited: nanos(row.credited_nanos),",
    to: "credited: nanos(0n * row.credited_nanos),",
  },
  {
    name: "over-credit: what a statement took off is forgotten",
    file: "packages/ledger/src/disputes/charge-lock.ts",
    from: "reduced: nanos(row.reduced_nanos),",
    to: "reduced: nanos(0n * row.reduced_nanos),",
  },
  {
    name: "over-credit: a statement reduces what was given back after its period",
    file: "packages/ledger/src/statement/lines.ts",
    from: "(t.dated_at < $3 OR t.dated_at >= period_end($2))",
    to: "t.dated_at < $3",
  },
  {
    name: "period close: the period stays open",
    file: CLOSE,
    from: "SET closed_until = to_timestamp($2::float8 / 1000)",
    to: "SET closed_until = least(closed_until, to_timestamp($2::float8 / 1000))",
  },
  {
    name: "period close: a month may be closed before it is over",
    file: CLOSE,
    from: "if (account.now_ms < period.endMs)",
    to: "if (account.now_ms < period.startMs)",
  },
  {
    name: "period close: a reduction is not booked",
    file: "packages/core/src/statement/closing.ts",
    from: "if (onAccount > 0n) booked.push",
    to: 'if (onAccount > 0n && because !== "bands") booked.push',
  },
  {
    name: "expiry: money that has expired is spent",
    file: FUNDING,
    from: "grant.available > 0n && !hasExpired(grant, nowMs)",
    to: "grant.available > 0n && nowMs > 0",
  },
  {
    name: "burn order: priority does not count",
    file: FUNDING,
    from: "if (left.priority !== right.priority) return left.priority - right.priority;",
    to: "",
  },
  {
    name: "burn order: a repeat takes from its neighbours",
    file: ACCEPT,
    from: 'return each.kind !== "funded" || each.hold.slices !== null;',
    to: 'return each.kind !== "funded";',
  },
  {
    name: "scope: a grant pays for every outcome type",
    file: FUNDING,
    from: "grant.outcomeTypes === null || grant.outcomeTypes.includes(outcomeType)",
    to: "grant.outcomeTypes === null || outcomeType.length > 0",
  },
  {
    name: "terms: a job is not pinned to its customer's",
    file: ACCEPT,
    from: "terms_id: (redrive ?? account).termsId,",
    to: "terms_id: null,",
  },
  {
    name: "cost: a late answer is booked in full on top of its worst case",
    file: "packages/ledger/src/late-cost.ts",
    from: 'attemptCost({ ...late, basis: "reported", booked: nanos(row.booked) }',
    to: 'attemptCost({ ...late, basis: "reported", booked: nanos(0n * row.booked) }',
  },
  {
    name: "dispute: one is opened after its window",
    file: DISPUTES,
    from: "untilMs === null || nowMs >= untilMs",
    to: "untilMs === null || nowMs < 0",
  },
  {
    name: "rework: a rejected outcome stays in hand",
    file: "packages/core/src/job/moves.ts",
    from: "best: null,\n      outages: 0,",
    to: "outages: 0,",
  },
  {
    name: "statement: half a cent is rounded down",
    file: "packages/core/src/money.ts",
    from: "((magnitude + NANOS_PER_MINOR_UNIT / 2n) / NANOS_PER_MINOR_UNIT)",
    to: "(magnitude / NANOS_PER_MINOR_UNIT)",
  },
  {
    name: "statement: credits count towards the minimum",
    file: "packages/core/src/pricing/rating/rate-statement.ts",
    from: "max(subtract(terms.commitmentMinimum, discounted), ZERO)",
    to: "max(subtract(terms.commitmentMinimum, subtract(discounted, sums.creditsOfPeriod)), ZERO)",
  },
  {
    name: "payment: more may be paid than is due",
    file: "packages/ledger/src/statement/pay.ts",
    from: "if (amount > balance) return",
    to: "if (amount < 0n) return",
  },
];
