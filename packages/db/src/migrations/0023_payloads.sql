-- Other people's texts: what customers send, models answer and reviewers say. They may be sealed with a key of the customer's,
-- and are dropped when they have been kept for long enough. What stays in their place is a marker, `{"$payload": …}`:
-- packages/db/src/payloads/marker.ts.

-- The key that a customer's texts are sealed with, itself sealed with a master key that the database never sees. Without
-- it nobody reads those texts again: that is how they are erased, in every copy that is kept elsewhere too.
CREATE TABLE payload_key (
  id          text PRIMARY KEY,
  customer_id text NOT NULL REFERENCES customer (id),
  -- Which master key `wrapped` is sealed with.
  master      text NOT NULL,
  wrapped     bytea,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  erased_at   timestamptz,
  CONSTRAINT payload_key_is_there_or_erased CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL))
);
-- What is sealed now is sealed with this one.
CREATE UNIQUE INDEX payload_key_in_use ON payload_key (customer_id) WHERE wrapped IS NOT NULL;
-- What has to be sealed anew when another master key has become the first.
CREATE INDEX payload_key_by_master ON payload_key (master, id) WHERE wrapped IS NOT NULL;

CREATE FUNCTION payload_key_stays_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the payload key % is erased', OLD.id
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'payload_key_stays_erased';
END $$;
CREATE TRIGGER stays_erased BEFORE UPDATE ON payload_key FOR EACH ROW
  WHEN (OLD.erased_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.customer_id <> OLD.customer_id)
  EXECUTE FUNCTION payload_key_stays_erased();
-- That there was a key, and when it was erased, is what an auditor asks for.
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON payload_key FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE DELETE ON payload_key FROM contingent_service;
-- Nobody's to read but a service's.
SELECT protect('payload_key');

ALTER TABLE customer_account
  -- For how many days after a job is closed its texts are kept; null: for ever.
  ADD COLUMN payload_retention_days int CHECK (payload_retention_days BETWEEN 0 AND 36500),
  -- Texts of jobs that were closed until then are dropped, however long they should have been kept. By the customer's clock.
  ADD COLUMN payloads_erased_until timestamptz;
CREATE INDEX customer_account_retention ON customer_account (customer_id)
  WHERE payload_retention_days IS NOT NULL OR payloads_erased_until IS NOT NULL;

ALTER TABLE job ADD COLUMN payload_dropped_at timestamptz;
-- Closed jobs whose texts are still there, in the order in which they are dropped.
CREATE INDEX job_payload_kept ON job (customer_id, closed_at) WHERE closed_at IS NOT NULL AND payload_dropped_at IS NULL;
-- Stored answers carry what their job's do.
CREATE INDEX idempotency_by_job ON idempotency (job_id);

-- Whether a text was dropped from one version of its row to the next: once, and not where there was none.
CREATE FUNCTION is_dropped(before jsonb, after jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN before IS NULL OR coalesce(before -> '$payload' ? 'dropped', false) THEN after IS NOT DISTINCT FROM before
              ELSE coalesce(after -> '$payload' ? 'dropped', false) END
$$;
CREATE FUNCTION is_dropped_text(before text, after text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN before IS NULL OR starts_with(before, '{"$payload":{"dropped":') THEN after IS NOT DISTINCT FROM before
              ELSE coalesce(starts_with(after, '{"$payload":{"dropped":'), false) END
$$;

-- What has ended does not end again, and what was said stays as it was said, until it is dropped.
CREATE OR REPLACE FUNCTION attempt_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  corrected constant text[] = '{cost_state,cost_nanos,cost_version}';
  texts constant text[] = '{output,error}';
BEGIN
  IF OLD.cost_state IN ('known', 'presumed') AND NEW.cost_state = 'known' AND NEW.cost_version = OLD.cost_version + 1
     AND to_jsonb(NEW) - corrected = to_jsonb(OLD) - corrected
     AND EXISTS (SELECT FROM attempt_cost_correction c
                  WHERE c.attempt_id = OLD.id AND c.version = NEW.cost_version
                    AND c.previous_nanos = OLD.cost_nanos AND c.amount_nanos = NEW.cost_nanos) THEN
    RETURN NEW;
  END IF;
  IF to_jsonb(NEW) - texts = to_jsonb(OLD) - texts
     AND is_dropped_text(OLD.output, NEW.output) AND is_dropped_text(OLD.error, NEW.error) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'this attempt of % has ended already', OLD.job_id
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'attempt_ends_once';
END $$;

CREATE FUNCTION inquiry_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  texts constant text[] = '{findings,detail}';
BEGIN
  IF to_jsonb(NEW) - texts = to_jsonb(OLD) - texts
     AND is_dropped(OLD.findings, NEW.findings) AND is_dropped(OLD.detail, NEW.detail) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'this inquiry of % has ended already', OLD.job_id
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'inquiry_ends_once';
END $$;
DROP TRIGGER ends_once ON inquiry;
CREATE TRIGGER ends_once BEFORE UPDATE ON inquiry FOR EACH ROW
  WHEN (OLD.cost_state IN ('known', 'released') OR (OLD.ended_at IS NOT NULL AND OLD.ended_at IS DISTINCT FROM NEW.ended_at))
  EXECUTE FUNCTION inquiry_ends_once();

-- A verdict does not change. Only its texts may be dropped.
DROP TRIGGER append_only ON verdict;
CREATE TRIGGER append_only
  BEFORE UPDATE OF id, job_id, attempt_id, decision, score, validators, evidence_hash, duration_ms, at, value_nanos, cost_nanos,
    reserve_nanos, leaves, features, step
    OR DELETE OR TRUNCATE ON verdict FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE FUNCTION verdict_texts_are_dropped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF is_dropped(OLD.findings, NEW.findings) AND is_dropped(OLD.output, NEW.output) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the texts of verdict % can be dropped, once, and not changed', OLD.id
    USING ERRCODE = 'restrict_violation', CONSTRAINT = 'verdict_texts_are_dropped';
END $$;
CREATE TRIGGER texts_are_dropped BEFORE UPDATE ON verdict FOR EACH ROW EXECUTE FUNCTION verdict_texts_are_dropped();
GRANT UPDATE (findings, output) ON verdict TO contingent_service;
