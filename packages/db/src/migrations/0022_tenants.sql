-- Whose rows are whose. A request with a customer's key is served as `contingent_tenant`, which sees and writes rows of those
-- customers only that its transaction names in the setting `contingent.customers`. Nobody named: no row, whatever is asked.
-- Services see everything; they work for all customers at once.
DO $$
BEGIN
  BEGIN
    CREATE ROLE contingent_tenant NOLOGIN;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
  END;
  IF NOT pg_has_role(current_user, 'contingent_tenant', 'SET') THEN
    GRANT contingent_tenant TO CURRENT_USER;
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA %s TO contingent_tenant', quote_ident(current_schema()));
END $$;

-- Whom the transaction is for. In policies it stands as `ANY ((SELECT customers())::text[])`, which is worked out once per
-- statement; without the SELECT it would be once per row.
CREATE FUNCTION customers() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT string_to_array(current_setting('contingent.customers', true), ',') $$;

-- Puts a table under row-level security: all of it for services, and for a customer's requests the rows for which
-- `is_own` holds. Without it none, and it takes a GRANT besides: a new table is closed to customers until somebody opens it.
CREATE FUNCTION protect(what regclass, is_own text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', what);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', what);
  EXECUTE format('CREATE POLICY everything ON %s TO contingent_service, contingent_ledger, CURRENT_USER USING (true)', what);
  IF is_own IS NOT NULL THEN
    EXECUTE format('CREATE POLICY own ON %s TO contingent_tenant USING (%s)', what, is_own);
  END IF;
END $$;

-- An input is written in the statement that makes its job, which a policy cannot see there. So it says itself whose it is,
-- and the key makes sure that it is true.
CREATE UNIQUE INDEX job_of_customer ON job (customer_id, id);
DROP INDEX job_by_customer;
ALTER INDEX job_of_customer RENAME TO job_by_customer;
ALTER TABLE job_input ADD COLUMN customer_id text;
UPDATE job_input i SET customer_id = j.customer_id FROM job j WHERE j.id = i.job_id;
ALTER TABLE job_input
  ALTER COLUMN customer_id SET NOT NULL,
  DROP CONSTRAINT job_input_job_id_fkey,
  ADD CONSTRAINT job_input_of_job FOREIGN KEY (customer_id, job_id) REFERENCES job (customer_id, id);

-- Tables that name the customer. Those that tell the operator's side of it are opened to nobody.
SELECT protect('customer', 'id = ANY ((SELECT customers())::text[])');
SELECT protect(name::regclass, 'customer_id = ANY ((SELECT customers())::text[])') FROM unnest(ARRAY[
  'api_key', 'customer_account', 'customer_terms', 'customer_event', 'credit_grant', 'job', 'job_input', 'idempotency',
  'hold', 'charge', 'unearned', 'dispute', 'credit_note', 'statement']) AS name;
SELECT protect(name::regclass) FROM unnest(ARRAY[
  'margin_rollup', 'account_movement', 'attempt_cost_correction', 'judge_canary', 'operator_label']) AS name;

-- Tables whose rows belong to something that belongs to a customer. A scalar subquery, which the table's key answers: the
-- same with EXISTS may be planned as a hash of all of the customer's rows.
SELECT protect(name::regclass, '(SELECT true FROM job j WHERE j.id = job_id)') FROM unnest(ARRAY[
  'attempt', 'verdict', 'inquiry', 'acceptance_decision', 'receipt']) AS name;
SELECT protect('hold_slice', '(SELECT true FROM credit_grant g WHERE g.id = grant_id)');
SELECT protect('statement_payment', '(SELECT true FROM statement s WHERE s.id = statement_id)');
SELECT protect('statement_reduction', '(SELECT true FROM statement s WHERE s.id = statement_id)');

-- Every job has its first event from the moment that it exists, so another first one is refused by the primary key,
-- whosever job it is. The others are written by transitions, which see the job.
SELECT protect('job_event');
CREATE POLICY own ON job_event FOR SELECT TO contingent_tenant USING ((SELECT true FROM job j WHERE j.id = job_id));
CREATE POLICY own_or_first ON job_event FOR INSERT TO contingent_tenant
  WITH CHECK (revision = 1 OR (SELECT true FROM job j WHERE j.id = job_id));

-- What audits have found is told to all customers, and whose outcomes they were to none: see the columns that are granted.
SELECT protect('audit');
CREATE POLICY found ON audit FOR SELECT TO contingent_tenant USING (true);
-- A customer's decision is a label, and is written as one by a trigger. Nobody reads labels for a customer.
SELECT protect('outcome_label');
CREATE POLICY own ON outcome_label FOR INSERT TO contingent_tenant
  WITH CHECK ((SELECT true FROM verdict v WHERE v.id = verdict_id));

-- The books. A customer's request books holds, costs of calls that it breaks off, and disputes; its own, and through `book`,
-- which runs with other rights: what it was called with is what the setting `role` still says.
SELECT protect('ledger_transaction',
  'coalesce(customer_id, (SELECT j.customer_id FROM job j WHERE j.id = job_id)) = ANY ((SELECT customers())::text[])');
SELECT protect('posting', '(SELECT true FROM ledger_transaction t WHERE t.id = transaction_id)');
CREATE POLICY tenants_book_their_own ON ledger_transaction AS RESTRICTIVE FOR INSERT TO contingent_ledger WITH CHECK (
  current_setting('role') <> 'contingent_tenant'
  OR (kind IN ('hold', 'cost', 'dispute')
      AND coalesce(customer_id, (SELECT j.customer_id FROM job j WHERE j.id = job_id)) = ANY ((SELECT customers())::text[])));

-- A customer ends a dispute by withdrawing it, and in no other way.
CREATE POLICY withdrawn ON dispute AS RESTRICTIVE FOR UPDATE TO contingent_tenant WITH CHECK (state = 'withdrawn');

-- What a customer's request may do at all: what the statements need that it makes, column by column where rows change.
GRANT SELECT ON
  customer, api_key, customer_account, customer_terms, customer_event, credit_grant, outcome_type_version, job, job_input, job_event,
  attempt, verdict, inquiry, acceptance_decision, idempotency, hold, hold_slice, charge, unearned, dispute, credit_note,
  receipt, receipt_key, statement, statement_payment, statement_reduction, ledger_transaction, posting, permitted_flow
  TO contingent_tenant;
GRANT SELECT (id, outcome_type, outcome_type_version_id, result, draw, rate) ON audit TO contingent_tenant;
GRANT INSERT ON
  api_key, job, job_input, job_event, idempotency, hold, hold_slice, customer_event, acceptance_decision, outcome_label, dispute,
  receipt, receipt_key
  TO contingent_tenant;
GRANT UPDATE (expires_at, revoked_at, revoked_by, last_used_at) ON api_key TO contingent_tenant;
GRANT UPDATE (held_nanos, spent_nanos, spent_from, open_jobs, updated_at) ON customer_account TO contingent_tenant;
GRANT UPDATE (available_nanos) ON credit_grant TO contingent_tenant;
GRANT UPDATE (status, body, in_flight_until) ON idempotency TO contingent_tenant;
GRANT UPDATE (state, resolution, resolved_at) ON dispute TO contingent_tenant;
GRANT UPDATE (revision, state, resolution, reason, attempts, progress, cost_known_nanos, cost_presumed_nanos,
              cost_held_nanos, cost_overrun_nanos, price_nanos, ready_at, wake_at, wakes, deadline_at, closed_at)
  ON job TO contingent_tenant;
GRANT UPDATE (cost_state, cost_nanos, outcome, response_id, usage, input_tokens, output_tokens, output, error, ended_at)
  ON attempt TO contingent_tenant;
GRANT UPDATE (cost_state, cost_nanos, outcome, score, findings, detail, replied_by, ended_at) ON inquiry TO contingent_tenant;
GRANT EXECUTE ON FUNCTION book(jsonb) TO contingent_tenant;
