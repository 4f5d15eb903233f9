-- How many jobs a customer has open, and each job's turn among those of all customers.

ALTER TABLE customer_account
  ADD COLUMN open_jobs int NOT NULL DEFAULT 0 CHECK (open_jobs >= 0),
  -- The most that may be open at once; null: what the deployment allows everybody.
  ADD COLUMN open_jobs_max int CHECK (open_jobs_max >= 0);
UPDATE customer_account a SET open_jobs = h.jobs
  FROM (SELECT customer_id, count(*) AS jobs FROM hold WHERE state = 'open' GROUP BY customer_id) h
 WHERE h.customer_id = a.customer_id;

-- An open job is one with an open hold, so it is counted with that, by whatever statement opens or ends it: also by those
-- of processes that do not know of the count yet. Whoever opens or ends a hold has locked its account before.
CREATE FUNCTION count_opened_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE customer_account a SET open_jobs = open_jobs + c.jobs
    FROM (SELECT customer_id, count(*) AS jobs FROM added WHERE state = 'open' GROUP BY customer_id) c
   WHERE a.customer_id = c.customer_id AND a.customer_id = ANY (ARRAY(SELECT customer_id FROM added));
  RETURN NULL;
END $$;
CREATE TRIGGER counts_opened AFTER INSERT ON hold
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_opened_jobs();

CREATE FUNCTION count_ended_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM before) THEN RETURN NULL; END IF;
  UPDATE customer_account a SET open_jobs = open_jobs + c.jobs
    FROM (SELECT customer_id, sum(jobs)::int AS jobs
            FROM (SELECT customer_id, 1 AS jobs FROM after WHERE state = 'open'
                  UNION ALL SELECT customer_id, -1 FROM before WHERE state = 'open') changed
           GROUP BY customer_id HAVING sum(jobs) <> 0) c
   WHERE a.customer_id = c.customer_id
     AND a.customer_id = ANY (ARRAY(SELECT customer_id FROM before UNION SELECT customer_id FROM after));
  RETURN NULL;
END $$;
CREATE TRIGGER counts_ended AFTER UPDATE ON hold
  REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION count_ended_jobs();

-- By the clock of the database, not by the customer's. Never changed: see packages/core/src/job/turn.ts. Jobs that are there
-- already have theirs now, and so has what is accepted by processes that do not know of turns yet.
ALTER TABLE job ADD COLUMN turn_at timestamptz NOT NULL DEFAULT now();
