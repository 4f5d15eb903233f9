-- Bookkeeping: the books sealed into a chain of blocks, and rolled up so that what is asked for every day need not be added
-- up from every posting there ever was. All of it follows from transactions and postings, and is checked against them.

-- What was written since the last block is found by the database transaction that wrote it.
CREATE INDEX ledger_transaction_by_xact ON ledger_transaction (xact);

-- A block seals the ledger transactions that the database transactions from `from_xact` until before `until_xact` wrote on
-- one day (of UTC). Windows follow each other without a gap, and each block's hash covers the one before: one chain, no fork.
CREATE TABLE ledger_block (
  number        int PRIMARY KEY CHECK (number >= 1),
  day           date NOT NULL,
  from_xact     xid8 NOT NULL,
  until_xact    xid8 NOT NULL,
  transactions  int NOT NULL CHECK (transactions > 0),
  postings      int NOT NULL CHECK (postings >= 0),
  hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
  previous_hash bytea NOT NULL UNIQUE CHECK (octet_length(previous_hash) = 32),
  sealed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (from_xact, day),
  CONSTRAINT ledger_block_window CHECK (from_xact < until_xact)
);
CREATE INDEX ledger_block_by_day ON ledger_block (day);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_block FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What the sealed transactions of a day moved on each account; the days are those of the blocks.
CREATE TABLE account_movement (
  account_class text NOT NULL,
  account_of    text NOT NULL,
  currency      text NOT NULL,
  day           date NOT NULL,
  debit_nanos   bigint NOT NULL CHECK (debit_nanos >= 0),
  credit_nanos  bigint NOT NULL CHECK (credit_nanos >= 0),
  postings      bigint NOT NULL CHECK (postings > 0),
  PRIMARY KEY (account_class, account_of, currency, day)
) WITH (fillfactor = 70);
CREATE INDEX account_movement_by_day ON account_movement (day);

-- The sealed balance of each account, debits positive.
CREATE VIEW account_balance AS
  SELECT account_class, account_of, currency, sum(debit_nanos - credit_nanos)::bigint AS balance_nanos, sum(postings)::bigint AS postings
    FROM account_movement GROUP BY account_class, account_of, currency;

-- What was earned, given away and paid for, by the day that the transactions are dated. Where a transaction has no customer,
-- version, tier or model the text is empty.
CREATE TABLE margin_rollup (
  day                     date NOT NULL,
  customer_id             text NOT NULL,
  outcome_type_version_id text NOT NULL,
  -- Of revenue and of jobs: those of the attempt that decided, or else of the last one. Of costs: those that cost.
  tier                    text NOT NULL,
  model                   text NOT NULL,
  revenue_nanos           bigint NOT NULL DEFAULT 0,
  credits_nanos           bigint NOT NULL DEFAULT 0,
  adjustments_nanos       bigint NOT NULL DEFAULT 0,
  cost_nanos              bigint NOT NULL DEFAULT 0,
  -- The part of the cost that jobs had which were closed without a charge.
  absorbed_nanos          bigint NOT NULL DEFAULT 0,
  closed                  bigint NOT NULL DEFAULT 0,
  billed                  bigint NOT NULL DEFAULT 0,
  partial                 bigint NOT NULL DEFAULT 0,
  failed                  bigint NOT NULL DEFAULT 0,
  -- Requests to models for the closed jobs, counted on the day they were closed.
  calls                   bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (day, customer_id, outcome_type_version_id, tier, model)
) WITH (fillfactor = 70);
