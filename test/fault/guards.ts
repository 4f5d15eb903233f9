/** The guards that keep jobs and money safe, how to take each away, and the smallest part of the tests that should notice. */
import type { Mutant } from "../mutation/mutation.ts";

export interface Guard extends Mutant {
  /** For vitest. */
  readonly noticedBy: readonly string[];
}

const COMMIT = "packages/db/src/commit.ts";
const JOBS = "packages/db/src/migrations/0001_jobs.sql";
const BOOKS = "packages/db/src/migrations/0002_books.sql";
const RECORD = "services/worker/src/record-answer.ts";
const POOL = "packages/db/src/pool.ts";
const hazard = (name: string): readonly string[] => ["test/fault/on-postgres.test.ts", "-t", name];

export const GUARDS: readonly Guard[] = [
  {
    name: "the fence: a transition needs the job's revision",
    file: COMMIT,
    from: "ON j.id = i.id AND j.revision = i.revision - 1",
    to: "ON j.id = i.id",
    noticedBy: ["test/db/racing-commits.test.ts"],
  },
  {
    name: "one charge for an outcome key",
    file: BOOKS,
    from: "CREATE UNIQUE INDEX charge_outcome_key",
    to: "CREATE INDEX charge_outcome_key",
    noticedBy: ["test/ledger/charges.test.ts"],
  },
  {
    name: "a job's money is captured or voided once",
    file: "packages/db/src/migrations/0003_accounts.sql",
    from: "CREATE UNIQUE INDEX ledger_transaction_once",
    to: "CREATE INDEX ledger_transaction_once",
    noticedBy: ["test/ledger/charges.test.ts"],
  },
  {
    name: "the cap: a claim may not exceed it",
    file: JOBS,
    from: "CONSTRAINT job_cost_cap CHECK (cost_known_nanos + cost_presumed_nanos + cost_held_nanos - cost_overrun_nanos <= cost_cap_nanos)",
    to: "CONSTRAINT job_cost_cap CHECK (true)",
    noticedBy: ["test/ledger/charges.test.ts"],
  },
  {
    name: "the balance: a hold needs as much money",
    file: "packages/core/src/books/funding.ts",
    from: "if (available < needed) {",
    to: "if (available < 0n) {",
    noticedBy: ["test/ledger/prepaid.test.ts"],
  },
  {
    name: "the hold ends once",
    file: BOOKS,
    from: "CREATE TRIGGER ends_once BEFORE UPDATE ON hold FOR EACH ROW WHEN (OLD.state <> 'open')",
    to: "CREATE TRIGGER ends_once BEFORE UPDATE ON hold FOR EACH ROW WHEN (false)",
    noticedBy: ["test/db/batches.test.ts"],
  },
  {
    name: "existence: what still waits is not published again",
    file: "services/ledger/src/publish-missing.ts",
    from: 'const missing = jobs.filter((_, i) => !present.has(ids[i] ?? ""));',
    to: "const missing = jobs;",
    noticedBy: ["services/ledger/src/publish-missing.test.ts"],
  },
  {
    name: "a late answer is dropped",
    file: RECORD,
    from: "  if (!won) {\n    await bookLate(context, attempt, result);\n    return;\n  }\n",
    to: "  if (!won) await bookLate(context, attempt, result);\n",
    noticedBy: hazard("F9"),
  },
  {
    name: "a late answer's cost is booked",
    file: RECORD,
    from: "    await bookLate(context, attempt, result);\n    return;\n",
    to: "    return;\n",
    noticedBy: hazard("F9"),
  },
  {
    name: "an answer that was paid for is insisted on",
    file: RECORD,
    from: "await insistOnCommit(context, transition, performance.now() + leftMs)",
    to: "await context.commit(transition)",
    noticedBy: hazard("F17"),
  },
  {
    name: "a message counts against an answer that takes processes with it",
    file: "services/validator/src/handlers/validate.ts",
    from: "if (redelivered) return strike(context, judging);",
    to: "",
    noticedBy: ["services/validator/src/handlers"],
  },
  {
    name: "a suspect takes no other suspect with it",
    file: "services/validator/src/handlers/validate.ts",
    from: "if (job.progress.strikes > 0) return reachSuspectVerdict(context, judging, suspects);",
    to: "",
    noticedBy: ["services/validator/src/handlers"],
  },
  {
    name: "a validator that died while it asked is nobody's silence",
    file: "services/validator/src/overdue.ts",
    from: "asker === null ? meaningOfSilence(version.validator, inquiry) : null;",
    to: "meaningOfSilence(version.validator, inquiry);",
    noticedBy: ["services/validator/src/overdue.test.ts"],
  },
  {
    name: "a message that is due is not held back by a wrong clock",
    file: "services/ledger/src/publish-missing.ts",
    from: "await context.queues.hasten(queue, due);",
    to: "",
    noticedBy: hazard("F12"),
  },
  {
    name: "a clock that is ahead keeps nobody from what the dead had taken up",
    file: "packages/queue/src/transport-postgres.ts",
    from: "text: LOOKS_PUT_RIGHT,",
    to: 'text: "SELECT $1::int",',
    noticedBy: ["test/queue/killed-consumer.test.ts", "-t", "on postgres"],
  },
  {
    name: "a connection that is silent is given up",
    file: POOL,
    from: ", query_timeout: STATEMENT_TIMEOUT_MS + ANSWER_GRACE_MS",
    to: "",
    noticedBy: ["test/db/pool.test.ts"],
  },
  {
    name: "requests are taken until load balancers have noticed a drain",
    file: "services/intake/src/main.ts",
    from: "stack.defer(() => delay(config.DRAIN_DELAY_MS));",
    to: "stack.defer(() => delay(0));",
    noticedBy: hazard("F16"),
  },
  {
    name: "tenants: a customer's statements see the customer's rows",
    file: "packages/db/src/migrations/0028_tenants_filter.sql",
    from: "ON %I USING (coalesce(customer_id = ANY ((SELECT customers())::text[]), false))', what)",
    to: "ON %I USING (true)', what)",
    noticedBy: ["test/db/tenants.test.ts"],
  },
  {
    name: "the canary: a transport that has forgotten everything is noticed",
    file: "packages/queue/src/canary.ts",
    from: "return found !== undefined && before === interruptions;",
    to: "return before === interruptions;",
    noticedBy: hazard("F5"),
  },
  {
    name: "the breaker: one probe in the whole fleet",
    file: "packages/db/src/breakers.ts",
    from: "AND revision = $3 AND forced_by IS NULL\n     AND ($4 <> 'half_open' OR probe_at <= clock_timestamp())",
    to: "AND forced_by IS NULL",
    noticedBy: ["test/db/breakers.test.ts"],
  },
];
