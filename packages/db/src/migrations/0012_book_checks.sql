-- When the books were checked, on what, and what was found: where the next check may begin.
CREATE TABLE book_check (
  number      int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  started_at  timestamptz NOT NULL,
  duration_ms double precision NOT NULL,
  -- The first database transaction that was looked at, and the first that was not. Null: from the beginning.
  since_xact  xid8,
  until_xact  xid8 NOT NULL,
  invariants  jsonb NOT NULL,
  is_clean    boolean NOT NULL
);
CREATE INDEX book_check_clean ON book_check (number DESC) WHERE is_clean;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON book_check FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE ON book_check FROM contingent_service;
