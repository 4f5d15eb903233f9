-- What models cost, as operators import it; what an attempt cost, as it turned out later; and what providers have invoiced.

-- Imports of rates. The rates that the program ships with come before all of them. Nothing is edited in place.
CREATE TABLE price_book_import (
  id          text PRIMARY KEY,
  -- Where the operator has the prices from.
  source      text NOT NULL,
  imported_by text NOT NULL REFERENCES api_key (id),
  imported_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE price_book_rate (
  -- In the order of the imports, which are made one after the other: a reader asks for what came after the last it has seen.
  seq            bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  import_id      text NOT NULL REFERENCES price_book_import (id),
  model          text NOT NULL,
  provider       text NOT NULL,
  effective_from timestamptz NOT NULL,
  -- [{prompt_tokens_max, input, output, cache_write_5m, cache_write_1h, cache_read}], {input, output}: prices are texts of
  -- nanos per million tokens.
  bands          jsonb NOT NULL CHECK (jsonb_typeof(bands) = 'array' AND jsonb_array_length(bands) > 0),
  fast           jsonb CHECK (jsonb_typeof(fast) = 'object'),
  UNIQUE (import_id, model, effective_from)
);
CREATE INDEX price_book_rate_by_model ON price_book_rate (model, effective_from DESC, seq DESC);

-- What an attempt really cost, told later by the operator: version 1 corrects the estimate or the report, each further one
-- the version before it.
CREATE TABLE attempt_cost_correction (
  attempt_id     text NOT NULL REFERENCES attempt (id),
  version        int NOT NULL CHECK (version >= 1),
  previous_nanos bigint NOT NULL,
  amount_nanos   bigint NOT NULL CHECK (amount_nanos >= 0),
  reason         text NOT NULL,
  corrected_by   text NOT NULL REFERENCES api_key (id),
  corrected_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (attempt_id, version)
);
ALTER TABLE attempt ADD COLUMN cost_version int NOT NULL DEFAULT 0;

-- What has ended does not end again. A presumed cost may become known; and either may be corrected, by one version at a
-- time, with a reason, while nothing else of the attempt changes.
CREATE FUNCTION attempt_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  corrected constant text[] = '{cost_state,cost_nanos,cost_version}';
BEGIN
  IF OLD.cost_state IN ('known', 'presumed') AND NEW.cost_state = 'known' AND NEW.cost_version = OLD.cost_version + 1
     AND to_jsonb(NEW) - corrected = to_jsonb(OLD) - corrected
     AND EXISTS (SELECT FROM attempt_cost_correction c
                  WHERE c.attempt_id = OLD.id AND c.version = NEW.cost_version
                    AND c.previous_nanos = OLD.cost_nanos AND c.amount_nanos = NEW.cost_nanos) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'this attempt of % has ended already', OLD.job_id
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'attempt_ends_once';
END $$;
DROP TRIGGER ends_once ON attempt;
CREATE TRIGGER ends_once BEFORE UPDATE ON attempt FOR EACH ROW
  WHEN (OLD.cost_state IN ('known', 'released') OR OLD.cost_version <> NEW.cost_version
        OR (OLD.ended_at IS NOT NULL AND OLD.ended_at IS DISTINCT FROM NEW.ended_at))
  EXECUTE FUNCTION attempt_ends_once();

-- Periods for which a provider's invoices were compared with the books. No two of one provider overlap. (A range of the
-- provider's hash stands for its name, which an exclusion by ranges cannot compare without an extension.)
CREATE TABLE reconciled_period (
  provider   text NOT NULL,
  from_day   date NOT NULL,
  until_day  date NOT NULL,
  PRIMARY KEY (provider, from_day, until_day),
  CONSTRAINT reconciled_period_not_empty CHECK (from_day < until_day),
  CONSTRAINT reconciled_period_alone EXCLUDE USING gist (
    numrange(hashtextextended(provider, 0)::numeric, hashtextextended(provider, 0)::numeric, '[]') WITH &&,
    daterange(from_day, until_day) WITH &&)
);

-- Uploads of a period's invoice, the later ones correcting the earlier ones, each with what the books said at that time.
CREATE TABLE reconciliation (
  id             text PRIMARY KEY,
  provider       text NOT NULL,
  from_day       date NOT NULL,
  until_day      date NOT NULL,
  -- Counts the uploads for the period.
  number         int NOT NULL CHECK (number >= 1),
  invoiced_nanos bigint NOT NULL,
  booked_nanos   bigint NOT NULL,
  -- What this upload added to the drift that the earlier ones had booked: together they are invoiced less booked.
  posted_nanos   bigint NOT NULL,
  uploaded_by    text NOT NULL REFERENCES api_key (id),
  uploaded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  FOREIGN KEY (provider, from_day, until_day) REFERENCES reconciled_period (provider, from_day, until_day),
  UNIQUE (provider, from_day, until_day, number)
);

CREATE TABLE reconciliation_line (
  reconciliation_id text NOT NULL REFERENCES reconciliation (id),
  model             text NOT NULL,
  day               date NOT NULL,
  -- Null where the invoice has no such line, and where the books have none.
  invoiced_nanos    bigint,
  booked_nanos      bigint,
  -- Part of what is booked: calls whose answer was lost, at their worst case.
  estimated_nanos   bigint NOT NULL,
  PRIMARY KEY (reconciliation_id, model, day),
  CHECK (invoiced_nanos IS NOT NULL OR booked_nanos IS NOT NULL)
);

-- Costs are looked for by their day. The books grow in the order of time, so a summary of each stretch is enough.
CREATE INDEX ledger_transaction_by_day ON ledger_transaction USING brin (dated_at) WHERE kind = 'cost';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON price_book_import FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON price_book_rate FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON attempt_cost_correction FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciled_period FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
