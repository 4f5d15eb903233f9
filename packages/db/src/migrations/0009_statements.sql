-- Statements: what a customer is charged for a period. Open ones are computed; a closed one is numbered and never changes.

-- The end of the period that begins at an instant. Periods are calendar months of UTC, in the customer's own time.
CREATE FUNCTION period_end(start timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT (start AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC' $$;

-- A charged job was closed when it was charged. (Before there were periods the two were told by two clocks.)
UPDATE job j SET closed_at = c.at FROM charge c WHERE c.job_id = j.id AND c.at <> j.closed_at;

CREATE TABLE statement (
  id                         text PRIMARY KEY,
  customer_id                text NOT NULL REFERENCES customer (id),
  period_start               timestamptz NOT NULL,
  period_end                 timestamptz NOT NULL,
  -- `closing`: nothing is dated into the period any more, and its lines are being added up.
  state                      text NOT NULL DEFAULT 'closing' CHECK (state IN ('closing', 'closed')),
  currency                   text NOT NULL,
  -- The terms in force at the period's end: they decide the fixed discount and the commitment. Null: none.
  terms_id                   text REFERENCES customer_terms (id),
  begun_at                   timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The database transaction that closed the period: what a later one wrote must not be dated into it.
  xact                       xid8 NOT NULL DEFAULT pg_current_xact_id(),
  number                     text UNIQUE,
  closed_at                  timestamptz,
  lines_billed               int,
  lines_unbilled             int,
  lines_credits              int,
  -- SHA-256 over the lines, each as its canonical JSON text and a line feed.
  lines_hash                 text,
  -- Each as it was paid for: of the customer's debt, and of prepaid money.
  gross_nanos                bigint,
  gross_prepaid_nanos        bigint,
  allowance_nanos            bigint,
  allowance_prepaid_nanos    bigint,
  bands_nanos                bigint,
  bands_prepaid_nanos        bigint,
  discount_nanos             bigint,
  discount_prepaid_nanos     bigint,
  fixed_discount_nanos       bigint,
  fixed_discount_prepaid_nanos bigint,
  credits_nanos              bigint,
  credits_prepaid_nanos      bigint,
  commitment_nanos           bigint,
  rounding_nanos             bigint,
  amount_due_nanos           bigint,
  -- The same by outcome type, for reading.
  outcome_types              jsonb,
  UNIQUE (customer_id, period_start),
  CONSTRAINT statement_of_a_month CHECK (period_start('month', period_start) = period_start AND period_end = period_end(period_start)),
  CONSTRAINT statement_id CHECK (
    id = 'stm_' || substr(customer_id, 5) || to_char(period_start AT TIME ZONE 'UTC', 'YYYYMM')),
  -- Without the check for nulls a missing figure would make the sum unknown, which a constraint lets pass.
  CONSTRAINT statement_complete CHECK (state = 'closing' OR num_nulls(
    number, closed_at, lines_billed, lines_unbilled, lines_credits, lines_hash, gross_nanos, gross_prepaid_nanos,
    allowance_nanos, allowance_prepaid_nanos, bands_nanos, bands_prepaid_nanos, discount_nanos, discount_prepaid_nanos,
    fixed_discount_nanos, fixed_discount_prepaid_nanos, credits_nanos, credits_prepaid_nanos, commitment_nanos,
    rounding_nanos, amount_due_nanos, outcome_types) = 0),
  CONSTRAINT statement_adds_up CHECK (amount_due_nanos
    = gross_nanos - allowance_nanos - bands_nanos - discount_nanos - fixed_discount_nanos - credits_nanos
    + commitment_nanos + rounding_nanos),
  -- A cent is what anybody can pay.
  CONSTRAINT statement_rounded CHECK (amount_due_nanos % 10000000 = 0 AND abs(rounding_nanos) <= 5000000)
);
CREATE INDEX statement_newest ON statement (period_start DESC, customer_id DESC);
CREATE INDEX statement_closing ON statement (id) WHERE state = 'closing';

-- From begun to closed, once. What is closed stays as it is; a mistake is corrected by a credit note in the open period.
CREATE FUNCTION statement_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.state = 'closing' AND NEW.state = 'closed'
       AND (NEW.id, NEW.customer_id, NEW.period_start, NEW.currency, NEW.begun_at, NEW.xact, coalesce(NEW.terms_id, ''))
         = (OLD.id, OLD.customer_id, OLD.period_start, OLD.currency, OLD.begun_at, OLD.xact, coalesce(OLD.terms_id, '')) THEN
      RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the statement % is %: it does not change any more', OLD.id, OLD.state
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'statement_is_final';
  END IF;
  RAISE EXCEPTION 'statements stay: % is refused', TG_OP
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'statement_is_final';
END $$;
CREATE TRIGGER statement_is_final BEFORE UPDATE OR DELETE ON statement FOR EACH ROW EXECUTE FUNCTION statement_is_final();
CREATE TRIGGER statement_stays BEFORE TRUNCATE ON statement FOR EACH STATEMENT EXECUTE FUNCTION statement_is_final();

-- A statement begins with the end of its period: else what closes a period could be booked while it is open.
CREATE FUNCTION statement_of_a_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM customer_account WHERE customer_id = NEW.customer_id AND closed_until >= NEW.period_end) THEN
    RAISE EXCEPTION 'the period of the statement % is open', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'statement_of_a_closed_period';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER statement_of_a_closed_period AFTER INSERT ON statement
  FOR EACH ROW EXECUTE FUNCTION statement_of_a_closed_period();

-- The last number of each year. Its row stays locked until the statement that takes a number is there, or is not: no gaps.
CREATE TABLE statement_number (
  year int PRIMARY KEY,
  last int NOT NULL CHECK (last >= 1)
);

CREATE TABLE statement_payment (
  statement_id text NOT NULL REFERENCES statement (id),
  -- The operator's own name for the payment, of a bank's or a provider's: the same one never pays twice.
  ref          text NOT NULL UNIQUE,
  amount_nanos bigint NOT NULL CHECK (amount_nanos > 0 AND amount_nanos % 10000000 = 0),
  at           timestamptz NOT NULL
);
CREATE INDEX statement_payment_by_statement ON statement_payment (statement_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON statement_payment FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Nobody pays more than is due. The statement's row is locked, so that two payments cannot both fit.
CREATE FUNCTION payment_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  owed statement;
BEGIN
  SELECT * INTO owed FROM statement WHERE id = NEW.statement_id FOR NO KEY UPDATE;
  IF owed.state IS DISTINCT FROM 'closed'
     OR (SELECT sum(amount_nanos) FROM statement_payment WHERE statement_id = NEW.statement_id) > owed.amount_due_nanos THEN
    RAISE EXCEPTION 'more is paid on % than is due', NEW.statement_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_fits';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER payment_fits AFTER INSERT ON statement_payment FOR EACH ROW EXECUTE FUNCTION payment_fits();

-- A closed period does not open again.
CREATE FUNCTION refuse_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the period of % was closed until %', OLD.customer_id, OLD.closed_until
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'refuse_reopening';
END $$;
CREATE TRIGGER refuse_reopening BEFORE UPDATE ON customer_account FOR EACH ROW
  WHEN (NEW.closed_until < OLD.closed_until) EXECUTE FUNCTION refuse_reopening();
-- For what is due to be closed.
CREATE INDEX customer_account_closed_until ON customer_account (closed_until);

-- Credit notes, by whose they are and by what they are for: few, among very many transactions.
CREATE INDEX ledger_transaction_credit ON ledger_transaction (customer_id, dated_at, key) WHERE kind = 'credit';
CREATE INDEX ledger_transaction_credit_of_job ON ledger_transaction (job_id) WHERE kind = 'credit';

-- Nothing posts into a closed period, but what closes it: while its own statement is being closed, and dated within it.
CREATE OR REPLACE FUNCTION refuse_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad record;
BEGIN
  SELECT t.key, t.dated_at, a.closed_until INTO bad
    FROM added t JOIN customer_account a ON a.customer_id = t.customer_id
   WHERE t.dated_at < a.closed_until AND t.kind NOT IN ('adjustment', 'commitment', 'rounding', 'statement') LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% is dated % and that period was closed until %', bad.key, bad.dated_at, bad.closed_until
      USING ERRCODE = 'check_violation', CONSTRAINT = 'refuse_closed_period';
  END IF;
  SELECT t.key, t.dated_at INTO bad FROM added t
   WHERE t.kind IN ('adjustment', 'commitment', 'rounding', 'statement') AND NOT EXISTS (
     SELECT FROM statement s
      WHERE s.id = split_part(t.key, ':', 2) AND s.customer_id = t.customer_id AND s.state = 'closing'
        AND t.dated_at >= s.period_start AND t.dated_at < s.period_end) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% is dated %, and no statement of that period is being closed', bad.key, bad.dated_at
      USING ERRCODE = 'check_violation', CONSTRAINT = 'closes_a_period';
  END IF;
  RETURN NULL;
END $$;
