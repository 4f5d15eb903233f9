-- The books. They only grow, each transaction balances at commit, and nothing is booked that its kind may not book.

CREATE TABLE permitted_flow (
  kind          text NOT NULL,
  account_class text NOT NULL,
  direction     text NOT NULL CHECK (direction IN ('debit', 'credit')),
  PRIMARY KEY (kind, account_class, direction)
);
INSERT INTO permitted_flow (kind, account_class, direction) VALUES
  ('hold', 'memo:contra', 'debit'),
  ('hold', 'customer:authorized', 'credit'),
  ('cost', 'cogs', 'debit'),
  ('cost', 'payable', 'credit'),
  ('cost', 'cogs', 'credit'),
  ('cost', 'payable', 'debit'),
  ('capture', 'customer:authorized', 'debit'),
  ('capture', 'memo:contra', 'credit'),
  ('capture', 'receivable:unbilled', 'debit'),
  ('capture', 'revenue:accrued', 'credit'),
  ('void', 'customer:authorized', 'debit'),
  ('void', 'memo:contra', 'credit');

-- What a customer has been charged for: one row per job at most, and only with a billable verdict on that very job.
-- `verdict_billable` is constant; it makes the foreign key point at billable verdicts only.
CREATE TABLE charge (
  job_id           text PRIMARY KEY REFERENCES job (id),
  customer_id      text NOT NULL REFERENCES customer (id),
  outcome_type     text NOT NULL,
  outcome_key      text,
  verdict_id       text NOT NULL,
  verdict_billable boolean NOT NULL DEFAULT true CHECK (verdict_billable),
  amount_nanos     bigint NOT NULL CHECK (amount_nanos > 0),
  currency         text NOT NULL,
  at               timestamptz NOT NULL DEFAULT now(),
  FOREIGN KEY (verdict_id, job_id, verdict_billable) REFERENCES verdict (id, job_id, billable)
);
CREATE UNIQUE INDEX charge_outcome_key ON charge (customer_id, outcome_type, outcome_key) WHERE outcome_key IS NOT NULL;

-- The money reserved for a job. It ends exactly once.
CREATE TABLE hold (
  job_id       text PRIMARY KEY REFERENCES job (id),
  customer_id  text NOT NULL REFERENCES customer (id),
  amount_nanos bigint NOT NULL CHECK (amount_nanos > 0),
  currency     text NOT NULL,
  state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'captured', 'voided')),
  ended_at     timestamptz
);

CREATE TRIGGER ends_once BEFORE UPDATE ON hold FOR EACH ROW WHEN (OLD.state <> 'open') EXECUTE FUNCTION refuse_second_end();

CREATE TABLE ledger_transaction (
  id       text PRIMARY KEY,
  kind     text NOT NULL CHECK (kind IN ('hold', 'cost', 'capture', 'void')),
  key      text NOT NULL UNIQUE,
  job_id   text NOT NULL REFERENCES job (id),
  currency text NOT NULL,
  at       timestamptz NOT NULL DEFAULT now(),
  -- The database transaction that wrote it. Postings must come from the same one: nobody adds to a booked transaction.
  xact     xid8 NOT NULL DEFAULT pg_current_xact_id(),
  -- A capture is a charge: without the charge's row, and so without its verdict, there is none.
  charged_job_id text GENERATED ALWAYS AS (CASE WHEN kind = 'capture' THEN job_id END) STORED
    REFERENCES charge (job_id) DEFERRABLE INITIALLY DEFERRED,
  UNIQUE (id, kind, currency, xact)
);
CREATE INDEX ledger_transaction_by_job ON ledger_transaction (job_id);
-- A job's money is held once, and that ends once: by a capture or by a void.
CREATE UNIQUE INDEX ledger_transaction_once ON ledger_transaction (job_id, (kind = 'hold')) WHERE kind <> 'cost';

CREATE TABLE posting (
  transaction_id text NOT NULL,
  seq            int  NOT NULL,
  kind           text NOT NULL,
  account_class  text NOT NULL,
  account_of     text NOT NULL,
  amount_nanos   bigint NOT NULL CHECK (amount_nanos <> 0),
  currency       text NOT NULL,
  xact           xid8 NOT NULL DEFAULT pg_current_xact_id(),
  direction      text NOT NULL GENERATED ALWAYS AS (CASE WHEN amount_nanos > 0 THEN 'debit' ELSE 'credit' END) STORED,
  PRIMARY KEY (transaction_id, seq),
  FOREIGN KEY (transaction_id, kind, currency, xact) REFERENCES ledger_transaction (id, kind, currency, xact)
);

-- Every statement adds postings that balance, transaction by transaction, so each transaction does at any time, and only
-- to transactions of its own: what is booked stays as it is. One look per statement; a row's own trigger would cost more.
-- That a flow is permitted is looked up here too and not by a foreign key, which would lock the same dozen rows for every
-- posting of everybody.
CREATE FUNCTION postings_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad record;
BEGIN
  SELECT kind, direction, account_class, transaction_id INTO bad
    FROM added a WHERE NOT EXISTS (
      SELECT FROM permitted_flow f WHERE (f.kind, f.account_class, f.direction) = (a.kind, a.account_class, a.direction)) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'a % may not % % (ledger transaction %)', bad.kind, bad.direction, bad.account_class, bad.transaction_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_permitted_flow';
  END IF;
  SELECT transaction_id AS id, sum(amount_nanos) AS total, bool_or(xact <> pg_current_xact_id()) AS is_late INTO bad
    FROM added GROUP BY transaction_id
  HAVING sum(amount_nanos) <> 0 OR bool_or(xact <> pg_current_xact_id()) LIMIT 1;
  IF bad.is_late THEN
    RAISE EXCEPTION 'ledger transaction % is booked already: nothing can be added to it', bad.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'postings_balance';
  ELSIF bad.id IS NOT NULL THEN
    RAISE EXCEPTION 'ledger transaction % does not balance: its postings sum to %', bad.id, bad.total
      USING ERRCODE = 'check_violation', CONSTRAINT = 'postings_balance';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER postings_balance AFTER INSERT ON posting
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION postings_balance();

CREATE FUNCTION ledger_transaction_is_posted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM posting WHERE transaction_id = NEW.id) THEN
    RAISE EXCEPTION 'ledger transaction % has no postings', NEW.key
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transaction_is_posted';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_transaction_is_posted AFTER INSERT ON ledger_transaction
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transaction_is_posted();

-- And the other way round: a charge that is not booked is none.
CREATE FUNCTION charge_is_booked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
       WHERE t.key = 'charge:' || NEW.job_id AND t.kind = 'capture' AND t.job_id = NEW.job_id
         AND (p.account_class, p.account_of, p.amount_nanos, p.currency) IN (
               ('revenue:accrued', '', -NEW.amount_nanos, NEW.currency),
               ('receivable:unbilled', NEW.customer_id, NEW.amount_nanos, NEW.currency))) <> 2 THEN
    RAISE EXCEPTION 'the charge for % has no matching capture in the books', NEW.job_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'charge_is_booked';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER charge_is_booked AFTER INSERT ON charge
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION charge_is_booked();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% only grows: % is refused; book a correcting transaction instead', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON permitted_flow FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charge FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON verdict FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON job_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON outcome_type_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
