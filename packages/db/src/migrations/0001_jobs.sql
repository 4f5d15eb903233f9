-- Who may ask, what is sold, and what happened to each job.
-- Times are the database's own; money is BIGINT nanos (1e-9 of the currency).

-- Refuses the whole statement that it stands in when something that the statement relies on does not hold.
CREATE FUNCTION must_hold(holds boolean, what text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF holds IS NOT TRUE THEN
    RAISE EXCEPTION 'refused, for this does not hold: %', what USING ERRCODE = 'check_violation', CONSTRAINT = 'must_hold';
  END IF;
  RETURN true;
END $$;

CREATE TABLE customer (
  id         text PRIMARY KEY,
  name       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- A key is looked up by its public id; only the hash of its secret is stored.
CREATE TABLE api_key (
  id          text PRIMARY KEY,
  scope       text NOT NULL CHECK (scope IN ('customer', 'operator')),
  customer_id text REFERENCES customer (id),
  secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
  label       text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  expires_at  timestamptz,
  revoked_at  timestamptz,
  CHECK ((scope = 'customer') = (customer_id IS NOT NULL))
);

CREATE TABLE outcome_type_version (
  id         text PRIMARY KEY,
  name       text NOT NULL,
  version    int  NOT NULL CHECK (version >= 1),
  -- As the operator sent it, and with the catalog's values resolved into it. Neither ever changes. Not jsonb, which would
  -- reorder the fields: a model answers in the order of the schema's properties.
  definition json NOT NULL,
  resolved   json NOT NULL,
  hash       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (name, version)
);

-- The row that every transition updates: small, and without the customer's texts.
CREATE TABLE job (
  id                      text PRIMARY KEY,
  customer_id             text NOT NULL REFERENCES customer (id),
  outcome_type            text NOT NULL,
  outcome_type_version_id text NOT NULL REFERENCES outcome_type_version (id),
  outcome_key             text,
  state                   text NOT NULL
    CHECK (state IN ('queued', 'attempting', 'validating', 'awaiting_acceptance', 'settling', 'closed')),
  revision                int  NOT NULL CHECK (revision >= 1),
  resolution              text CHECK (resolution IN ('success', 'partial', 'failure')),
  reason                  text,
  attempts                int  NOT NULL DEFAULT 0,
  cost_cap_nanos          bigint NOT NULL CHECK (cost_cap_nanos > 0),
  cost_known_nanos        bigint NOT NULL DEFAULT 0,
  cost_presumed_nanos     bigint NOT NULL DEFAULT 0,
  cost_held_nanos         bigint NOT NULL DEFAULT 0,
  cost_overrun_nanos      bigint NOT NULL DEFAULT 0,
  price_nanos             bigint,
  progress                jsonb NOT NULL,
  traceparent             text,
  created_at              timestamptz NOT NULL,
  deadline_at             timestamptz NOT NULL,
  ready_at                timestamptz NOT NULL,
  wake_at                 timestamptz NOT NULL,
  -- How often the sweeper has woken this revision: each time it waits longer.
  wakes                   int  NOT NULL DEFAULT 0,
  closed_at               timestamptz,
  CONSTRAINT job_cost_sign CHECK (least(cost_known_nanos, cost_presumed_nanos, cost_held_nanos, cost_overrun_nanos) >= 0),
  CONSTRAINT job_cost_cap CHECK (cost_known_nanos + cost_presumed_nanos + cost_held_nanos - cost_overrun_nanos <= cost_cap_nanos),
  CONSTRAINT job_resolved CHECK ((state IN ('settling', 'closed')) <= (resolution IS NOT NULL AND reason IS NOT NULL)),
  CONSTRAINT job_closed CHECK ((state = 'closed') = (closed_at IS NOT NULL))
) WITH (fillfactor = 70);

-- One outcome is sold once, for ever.
CREATE UNIQUE INDEX job_outcome_key ON job (customer_id, outcome_type, outcome_key) WHERE outcome_key IS NOT NULL;
CREATE INDEX job_by_customer ON job (customer_id, id DESC);
-- The sweeper's: open jobs only, so that history costs it nothing.
CREATE INDEX job_wake ON job (wake_at) WHERE state <> 'closed';

-- The customer's own texts, written once.
CREATE TABLE job_input (
  job_id   text PRIMARY KEY REFERENCES job (id),
  -- Not jsonb: the prompt shows the fields in the customer's own order.
  input    json NOT NULL,
  metadata jsonb NOT NULL
);

CREATE TABLE job_event (
  job_id   text NOT NULL REFERENCES job (id),
  revision int  NOT NULL,
  type     text NOT NULL,
  data     jsonb NOT NULL,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (job_id, revision)
);

CREATE TABLE attempt (
  id                text PRIMARY KEY,
  job_id            text NOT NULL REFERENCES job (id),
  number            int  NOT NULL,
  tier              text NOT NULL,
  provider          text NOT NULL,
  model             text NOT NULL,
  output_tokens_max int  NOT NULL,
  reserve_nanos     bigint NOT NULL,
  cost_state        text NOT NULL CHECK (cost_state IN ('held', 'known', 'presumed', 'released')),
  cost_nanos        bigint NOT NULL DEFAULT 0,
  outcome           text,
  response_id       text,
  usage             jsonb,
  input_tokens      int,
  output_tokens     int,
  output            text,
  error             text,
  traceparent       text,
  started_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at          timestamptz,
  UNIQUE (job_id, number),
  CHECK ((cost_state = 'held') = (outcome IS NULL))
);

-- What has ended does not end again. Only a presumed cost may still become known.
CREATE FUNCTION refuse_second_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'this % of % has ended already', TG_TABLE_NAME, OLD.job_id
    USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_ends_once';
END $$;
CREATE TRIGGER ends_once BEFORE UPDATE ON attempt FOR EACH ROW
  WHEN (OLD.cost_state IN ('known', 'released') OR (OLD.ended_at IS NOT NULL AND OLD.ended_at IS DISTINCT FROM NEW.ended_at))
  EXECUTE FUNCTION refuse_second_end();

CREATE TABLE verdict (
  id            text PRIMARY KEY,
  job_id        text NOT NULL REFERENCES job (id),
  attempt_id    text NOT NULL UNIQUE REFERENCES attempt (id),
  decision      text NOT NULL CHECK (decision IN ('pass', 'partial', 'fail')),
  billable      boolean NOT NULL GENERATED ALWAYS AS (decision <> 'fail') STORED,
  score         double precision NOT NULL CHECK (score BETWEEN 0 AND 1),
  findings      jsonb NOT NULL,
  validators    jsonb NOT NULL,
  evidence_hash text NOT NULL,
  output        jsonb,
  duration_ms   double precision NOT NULL,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (id, job_id, billable)
);
CREATE INDEX verdict_by_job ON verdict (job_id);

-- Answers to requests with an Idempotency-Key, so that a repeat gets the same one.
CREATE TABLE idempotency (
  customer_id     text NOT NULL REFERENCES customer (id),
  key             text NOT NULL,
  fingerprint     text NOT NULL,
  -- The answer speaks of this job, so it must exist: a key that was claimed for a job which lost a race claims nothing.
  job_id          text NOT NULL REFERENCES job (id),
  -- The request named an outcome that had been bought before.
  existing        boolean NOT NULL,
  -- Null while the first request is still being served (it waits for the result); then somebody keeps the lease alive.
  status          int,
  body            jsonb,
  in_flight_until timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (customer_id, key),
  CHECK ((status IS NULL) = (body IS NULL)),
  CHECK (status IS NOT NULL OR in_flight_until IS NOT NULL)
);
