-- That a row is the customer's is a filter, and no way to look for rows: as a plain condition it was one that the indexes by
-- customer answer, and the planner began with all of a customer's jobs where it believed that they were few. Nothing is
-- looked up inside of `coalesce`, so what is read is what the statement asks for, as without row-level security.
DO $$
DECLARE
  what text;
BEGIN
  ALTER POLICY own ON customer USING (coalesce(id = ANY ((SELECT customers())::text[]), false));
  FOREACH what IN ARRAY ARRAY[
    'api_key', 'customer_account', 'customer_terms', 'customer_event', 'credit_grant', 'job', 'job_input', 'idempotency',
    'hold', 'charge', 'unearned', 'dispute', 'credit_note', 'statement'] LOOP
    EXECUTE format('ALTER POLICY own ON %I USING (coalesce(customer_id = ANY ((SELECT customers())::text[]), false))', what);
  END LOOP;
END $$;

-- As it was, but for `coalesce`.
CREATE OR REPLACE FUNCTION protect(what regclass, is_own text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', what);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', what);
  EXECUTE format('CREATE POLICY everything ON %s TO contingent_service, contingent_ledger, CURRENT_USER USING (true)', what);
  IF is_own IS NOT NULL THEN
    EXECUTE format('CREATE POLICY own ON %s TO contingent_tenant USING (coalesce(%s, false))', what, is_own);
  END IF;
END $$;
