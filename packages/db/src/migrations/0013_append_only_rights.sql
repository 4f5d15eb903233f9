-- What only grows is only added to, also where its table is younger than the roles.
DO $$
DECLARE
  append_only text;
BEGIN
  FOR append_only IN SELECT c.oid::regclass::text FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid
                      WHERE t.tgname = 'append_only' AND c.relnamespace = current_schema()::regnamespace LOOP
    EXECUTE format('REVOKE UPDATE, DELETE ON %s FROM contingent_service', append_only);
  END LOOP;
END $$;
