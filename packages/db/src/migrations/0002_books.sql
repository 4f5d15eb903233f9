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
CREATE INDEX hold_open ON hold (customer_id) WHERE state = 'open';

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
  FOREIGN KEY (transaction_id, kind, currency, xact) REFERENCES ledger_transaction (id, kind, currency, xact),
  FOREIGN KEY (kind, account_class, direction) REFERENCES permitted_flow (kind, account_class, direction)
);
CREATE INDEX posting_by_account ON posting (account_class, account_of);

-- Because postings cannot join a transaction later, one look per transaction at commit is enough.
CREATE FUNCTION ledger_transaction_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  total numeric;
  lines int;
BEGIN
  SELECT coalesce(sum(amount_nanos), 0), count(*) INTO total, lines FROM posting WHERE transaction_id = NEW.id;
  IF total <> 0 OR lines < 2 THEN
    RAISE EXCEPTION 'ledger transaction % does not balance: % postings sum to %', NEW.key, lines, total
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transaction_balances';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_transaction_balances AFTER INSERT ON ledger_transaction
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transaction_balances();

-- And the other way round: a charge that is not booked is none.
CREATE FUNCTION charge_is_booked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
     WHERE t.key = 'charge:' || NEW.job_id AND t.kind = 'capture'
       AND p.account_class = 'revenue:accrued' AND p.amount_nanos = -NEW.amount_nanos
  ) THEN
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
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charge FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON verdict FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON job_event FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON outcome_type_version FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
