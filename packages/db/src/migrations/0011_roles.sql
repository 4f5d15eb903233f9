-- Who may write what. Services act as `contingent_service`, whoever they log in as; the books are written by
-- `contingent_ledger` alone, through its function `book`.
--
-- Roles belong to the whole server: another database of it may have made them already, or be making them now.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['contingent_ledger', 'contingent_service'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    -- Whoever migrates may act as either, and so may log services in. Another login needs this grant by hand.
    IF NOT pg_has_role(current_user, role_name, 'SET') THEN
      EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
    END IF;
  END LOOP;
END $$;

DO $$
DECLARE
  own text := quote_ident(current_schema());
  append_only text;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %s TO contingent_service, contingent_ledger', own);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %s TO contingent_service', own);
  EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %s TO contingent_service', own);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO contingent_service', own);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT USAGE ON SEQUENCES TO contingent_service', own);
  EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %s TO contingent_ledger', own);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT SELECT ON TABLES TO contingent_ledger', own);

  -- What only grows is only added to.
  FOR append_only IN SELECT c.oid::regclass::text FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid
                      WHERE t.tgname = 'append_only' AND c.relnamespace = current_schema()::regnamespace LOOP
    EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM contingent_service', append_only);
  END LOOP;
  REVOKE INSERT, UPDATE, DELETE ON permitted_flow, schema_migration FROM contingent_service;

  -- The books: one writer, one way.
  REVOKE INSERT, UPDATE, DELETE ON ledger_transaction, posting FROM contingent_service;
  GRANT INSERT ON ledger_transaction, posting TO contingent_ledger;
  -- An owner of a function needs this right, only while becoming it.
  EXECUTE format('GRANT CREATE ON SCHEMA %s TO contingent_ledger', own);
  ALTER FUNCTION book(jsonb) OWNER TO contingent_ledger;
  EXECUTE format('REVOKE CREATE ON SCHEMA %s FROM contingent_ledger', own);
END $$;
REVOKE ALL ON FUNCTION book(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book(jsonb) TO contingent_service;
