-- Dead letters: jobs that ended unbilled because the system broke, and not because a model was not good enough. Somebody
-- looks at each: it is done once more as another job, or dismissed.
CREATE TABLE dead_letter (
  job_id           text PRIMARY KEY REFERENCES job (id),
  customer_id      text NOT NULL REFERENCES customer (id),
  outcome_type     text NOT NULL,
  -- `validator_error`: its validators kept breaking. `worker_lost`: whoever attempted it vanished, to the last. `not_attempted`,
  -- `not_judged`: the deadline came before anybody got to it.
  cause            text NOT NULL CHECK (cause IN ('validator_error', 'worker_lost', 'not_attempted', 'not_judged')),
  at               timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The job that does it once more.
  redriven_as      text UNIQUE REFERENCES job (id),
  dismissed_reason text CHECK (char_length(dismissed_reason) BETWEEN 1 AND 2000),
  -- The key of whoever ended it, or of whoever tried to last.
  ended_by         text,
  ended_at         timestamptz,
  CONSTRAINT dead_letter_ended CHECK (num_nonnulls(redriven_as, dismissed_reason) = num_nonnulls(ended_at))
);
CREATE INDEX dead_letter_open ON dead_letter (job_id) WHERE ended_at IS NULL;

CREATE FUNCTION refuse_second_end_of_letter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the dead letter of % has ended already', OLD.job_id
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'dead_letter_ends_once';
END $$;
CREATE TRIGGER ends_once BEFORE UPDATE ON dead_letter FOR EACH ROW
  WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION refuse_second_end_of_letter();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON dead_letter FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE DELETE ON dead_letter FROM contingent_service;

-- Why a job that failed is a dead letter; null: it is none.
CREATE FUNCTION dead_letter_cause(job_id text, reason text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE
           WHEN $2 = 'validator_error' THEN 'validator_error'
           WHEN last.outcome = 'lost' THEN 'worker_lost'
           WHEN $2 <> 'deadline' THEN NULL
           WHEN last.id IS NULL THEN 'not_attempted'
           WHEN last.outcome = 'answered'
            AND NOT EXISTS (SELECT FROM verdict WHERE attempt_id = last.id)
            -- Whoever was asked about it took their time: that is not ours.
            AND NOT EXISTS (SELECT FROM inquiry q WHERE q.job_id = $1 AND q.attempt_id = last.id AND q.outcome IN ('broke', 'dropped'))
           THEN 'not_judged'
         END
    FROM (VALUES (1)) AS one (row)
    LEFT JOIN LATERAL (SELECT id, outcome FROM attempt a WHERE a.job_id = $1 ORDER BY number DESC LIMIT 1) last ON true
$$;

-- Written with the end of the job, by whoever ends it: a process of an earlier version as well.
CREATE FUNCTION bury_dead_letter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dead_letter (job_id, customer_id, outcome_type, cause)
  SELECT NEW.id, NEW.customer_id, NEW.outcome_type, cause FROM dead_letter_cause(NEW.id, NEW.reason) AS cause
   WHERE cause IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER bury_dead_letter AFTER UPDATE ON job FOR EACH ROW
  WHEN (OLD.state <> 'closed' AND NEW.state = 'closed' AND NEW.resolution = 'failure'
        AND NEW.reason IN ('validator_error', 'deadline', 'exhausted', 'cost_cap'))
  EXECUTE FUNCTION bury_dead_letter();

-- A job that does once more what another could not finish. Each is done once more once.
ALTER TABLE job ADD COLUMN redrive_of text REFERENCES dead_letter (job_id);
CREATE UNIQUE INDEX job_redrive_of ON job (redrive_of) WHERE redrive_of IS NOT NULL;

CREATE FUNCTION redrive_ends_letter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE dead_letter SET redriven_as = NEW.id, ended_at = clock_timestamp()
   WHERE job_id = NEW.redrive_of AND customer_id = NEW.customer_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no dead letter % of %', NEW.redrive_of, NEW.customer_id
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'redrive_ends_letter';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER redrive_ends_letter AFTER INSERT ON job FOR EACH ROW
  WHEN (NEW.redrive_of IS NOT NULL) EXECUTE FUNCTION redrive_ends_letter();

-- What broke while it held a job: for people who look at a dead letter. Never a text of the customer's or of a model.
CREATE TABLE job_fault (
  job_id     text NOT NULL REFERENCES job (id),
  -- The job's when it broke.
  revision   int NOT NULL,
  attempt_id text NOT NULL REFERENCES attempt (id),
  cause      text NOT NULL CHECK (cause IN ('validator_error', 'validator_lost')),
  error      text NOT NULL,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (job_id, revision)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON job_fault FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE ON job_fault FROM contingent_service;
