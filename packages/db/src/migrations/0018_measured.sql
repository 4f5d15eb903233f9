-- How far verdicts can be trusted: what was said of outcomes by those who looked, and random audits of what was billed.

-- Each time that somebody looked at an outcome and said whether it was right. With what is asked of labels beside it, so
-- that they are read by one index.
CREATE TABLE outcome_label (
  number                  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  verdict_id              text NOT NULL REFERENCES verdict (id),
  source                  text NOT NULL CHECK (source IN ('acceptance', 'dispute', 'audit')),
  correct                 boolean NOT NULL,
  outcome_type            text NOT NULL,
  outcome_type_version_id text NOT NULL REFERENCES outcome_type_version (id),
  decision                text NOT NULL CHECK (decision IN ('pass', 'partial', 'fail')),
  score                   double precision NOT NULL,
  at                      timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Of outcomes that were sold as full ones. A partial outcome may be right as what it was sold as, which says nothing about
-- what its score would be worth as a success.
CREATE INDEX outcome_label_of_version ON outcome_label (outcome_type_version_id, number DESC) WHERE decision = 'pass';
CREATE INDEX outcome_label_of_type ON outcome_label (outcome_type, number DESC) WHERE decision = 'pass';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON outcome_label
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE ON outcome_label FROM contingent_service;

CREATE FUNCTION write_label(verdict text, source text, correct boolean) RETURNS void LANGUAGE sql AS $$
  INSERT INTO outcome_label (verdict_id, source, correct, outcome_type, outcome_type_version_id, decision, score)
  SELECT v.id, $2, $3, j.outcome_type, j.outcome_type_version_id, v.decision, v.score
    FROM verdict v JOIN job j ON j.id = v.job_id WHERE v.id = $1
$$;

-- Written with what says so, by whoever writes that. A silence says nothing, and writes no decision.
CREATE FUNCTION acceptance_is_a_label() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM write_label(NEW.verdict_id, 'acceptance', NEW.decision = 'accept');
  RETURN NULL;
END $$;
CREATE TRIGGER is_a_label AFTER INSERT ON acceptance_decision FOR EACH ROW EXECUTE FUNCTION acceptance_is_a_label();

-- A charge that is upheld was right, one that is given back, in part or whole, was not; who withdraws has said nothing.
CREATE FUNCTION dispute_is_a_label() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM write_label(c.verdict_id, 'dispute', NEW.state = 'upheld') FROM charge c WHERE c.job_id = NEW.job_id;
  RETURN NULL;
END $$;
CREATE TRIGGER is_a_label AFTER UPDATE ON dispute FOR EACH ROW
  WHEN (OLD.state = 'open' AND NEW.state IN ('upheld', 'credited')) EXECUTE FUNCTION dispute_is_a_label();

-- What was said before there were labels, in the order in which it was said.
SELECT write_label(verdict_id, source, correct) FROM (
  SELECT d.verdict_id, 'acceptance' AS source, d.decision = 'accept' AS correct, d.at FROM acceptance_decision d
  UNION ALL
  SELECT c.verdict_id, 'dispute', d.state = 'upheld', d.resolved_at
    FROM dispute d JOIN charge c ON c.job_id = d.job_id WHERE d.state IN ('upheld', 'credited')) said
 ORDER BY at;

-- How far charges have been drawn from for audits, and the secret that draws: nobody can tell from a job's id whether its
-- outcome will be looked at, and everybody who draws again draws the same.
CREATE TABLE audit_drawing (
  is_the_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_one),
  salt       bytea NOT NULL CHECK (octet_length(salt) = 32),
  until_xact xid8 NOT NULL
);
INSERT INTO audit_drawing (salt, until_xact)
VALUES (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), pg_snapshot_xmin(pg_current_snapshot()));

CREATE FUNCTION refuse_other_drawing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audits are drawn by one secret, and no charge twice' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER goes_on BEFORE UPDATE ON audit_drawing FOR EACH ROW
  WHEN (NEW.salt <> OLD.salt OR NEW.until_xact < OLD.until_xact) EXECUTE FUNCTION refuse_other_drawing();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON audit_drawing FOR EACH STATEMENT EXECUTE FUNCTION refuse_other_drawing();

-- A billed outcome that chance has chosen to be looked at again.
CREATE TABLE audit (
  id                      text PRIMARY KEY,
  job_id                  text NOT NULL UNIQUE REFERENCES charge (job_id),
  verdict_id              text NOT NULL,
  verdict_billable        boolean NOT NULL DEFAULT true CHECK (verdict_billable),
  outcome_type            text NOT NULL,
  outcome_type_version_id text NOT NULL REFERENCES outcome_type_version (id),
  -- Who looks: a person, or a model that judges.
  method                  text NOT NULL CHECK (method IN ('human', 'judge')),
  -- Where the draw fell, and the share of outcomes that were audited.
  draw                    double precision NOT NULL CHECK (draw >= 0),
  rate                    double precision NOT NULL CHECK (rate <= 1),
  -- Whether what should not have been billed is given back.
  credits                 boolean NOT NULL,
  sampled_at              timestamptz NOT NULL DEFAULT clock_timestamp(),
  due_at                  timestamptz NOT NULL,
  result                  text CHECK (result IN ('correct', 'incorrect', 'undecided')),
  reason                  text CHECK (char_length(reason) BETWEEN 1 AND 2000),
  -- The key of whoever said so.
  decided_by              text,
  decided_at              timestamptz,
  credit                  text CHECK (credit IN ('due', 'given', 'nothing_left')),
  credit_note_id          text UNIQUE REFERENCES credit_note (id),
  FOREIGN KEY (verdict_id, job_id, verdict_billable) REFERENCES verdict (id, job_id, billable),
  CONSTRAINT audit_drawn CHECK (draw < rate),
  CONSTRAINT audit_decided CHECK (num_nulls(result, reason, decided_by, decided_at) IN (0, 4)),
  CONSTRAINT audit_credit CHECK ((credits AND coalesce(result = 'incorrect', false)) = (credit IS NOT NULL)),
  CONSTRAINT audit_credit_note CHECK (coalesce(credit = 'given', false) = (credit_note_id IS NOT NULL))
);
CREATE INDEX audit_open ON audit (id) WHERE result IS NULL;
CREATE INDEX audit_open_of_type ON audit (outcome_type, id) WHERE result IS NULL;
CREATE INDEX audit_open_of_version ON audit (outcome_type_version_id, id) WHERE result IS NULL;
CREATE INDEX audit_done ON audit (id) WHERE result IS NOT NULL;
CREATE INDEX audit_done_of_type ON audit (outcome_type, id) WHERE result IS NOT NULL;
CREATE INDEX audit_done_of_version ON audit (outcome_type_version_id, id) WHERE result IS NOT NULL;
CREATE INDEX audit_credit_due ON audit (id) WHERE credit = 'due';

-- Drawn, decided once, and given back once where that is due. Nothing else of it changes.
CREATE FUNCTION audit_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  credited text[] := '{credit,credit_note_id}';
  decided text[] := '{result,reason,decided_by,decided_at,credit,credit_note_id}';
BEGIN
  IF OLD.result IS NULL AND NEW.result IS NOT NULL AND coalesce(NEW.credit = 'due', true)
     AND to_jsonb(OLD) - decided = to_jsonb(NEW) - decided THEN
    RETURN NEW;
  END IF;
  IF OLD.credit = 'due' AND NEW.credit <> 'due' AND to_jsonb(OLD) - credited = to_jsonb(NEW) - credited THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'audit % is decided once, and nothing else of it changes', OLD.id
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'audit_is_decided_once';
END $$;
CREATE TRIGGER decided_once BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_is_decided_once();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION audit_is_a_label() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM write_label(NEW.verdict_id, 'audit', NEW.result = 'correct');
  RETURN NULL;
END $$;
CREATE TRIGGER is_a_label AFTER UPDATE ON audit FOR EACH ROW
  WHEN (OLD.result IS NULL AND NEW.result IN ('correct', 'incorrect')) EXECUTE FUNCTION audit_is_a_label();

-- A version whose measured false-bill rate is above its maximum: raised once, until it is below again.
CREATE TABLE quality_alert (
  id                      text PRIMARY KEY,
  outcome_type            text NOT NULL,
  outcome_type_version_id text NOT NULL REFERENCES outcome_type_version (id),
  rate_max                double precision NOT NULL,
  -- What was measured when it was raised.
  audited                 int NOT NULL CHECK (audited > 0),
  incorrect               int NOT NULL CHECK (incorrect BETWEEN 1 AND audited),
  raised_at               timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Since when it is no chance: the whole interval was above. Null: it never was.
  certain_at              timestamptz,
  cleared_at              timestamptz
);
CREATE UNIQUE INDEX quality_alert_standing ON quality_alert (outcome_type_version_id) WHERE cleared_at IS NULL;
CREATE INDEX quality_alert_of_type ON quality_alert (outcome_type, id DESC);

CREATE FUNCTION quality_alert_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  later text[] := '{certain_at,cleared_at}';
BEGIN
  IF OLD.cleared_at IS NULL AND to_jsonb(OLD) - later = to_jsonb(NEW) - later
     AND (OLD.certain_at IS NULL OR OLD.certain_at = NEW.certain_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'alert % was raised once and is cleared once', OLD.id
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'quality_alert_ends_once';
END $$;
CREATE TRIGGER ends_once BEFORE UPDATE ON quality_alert FOR EACH ROW EXECUTE FUNCTION quality_alert_ends_once();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON quality_alert FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE DELETE ON audit, audit_drawing, quality_alert FROM contingent_service;
