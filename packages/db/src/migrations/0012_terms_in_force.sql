-- The terms that are in force for a customer at an instant.
--
-- VOLATILE, so that it sees whatever was committed before it is called, and not only before its statement began: a
-- statement that has waited for the account's lock must not answer with the terms from before the wait.
CREATE FUNCTION terms_in_force(customer text, instant timestamptz) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN (SELECT t.id FROM customer_terms t WHERE t.customer_id = customer AND t.effective_from <= instant
           ORDER BY t.effective_from DESC, t.version DESC LIMIT 1);
END $$;
